import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { ServiceRow } from '../../src/api/dashboard/wire.ts'
import { call } from '../api.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { serviceBadge, swatch } from '../parts/badge.ts'
import { EventList } from '../parts/event-list.ts'
import { Logs } from '../parts/logs.ts'
import { countsOf } from '../state/derive.ts'
import { agoText, portsText } from '../state/format.ts'
import { facts } from './facts.ts'
import { IngressOfService } from './ingress-of-service.ts'
import { Tabs } from './tabs.ts'
import { Why } from './why.ts'
import { taskLines } from './task-lines.ts'

export function ServicePanel({ id, tab }: { id: string; tab: string }): ComponentChild {
  const service = app.state.services.get(id)
  if (service === undefined) return h('p', { class: 'empty' }, t('nothing'))
  const counts = countsOf(app.state, service)
  return h(
    'div',
    { class: 'panel-body' },
    h(
      'header',
      { class: 'panel-head' },
      h('p', { class: 'kind' }, t('service')),
      h('h2', null, swatch(service.id), service.name),
      serviceBadge(service, counts),
    ),
    counts.problem !== undefined && h(Why, { id, reason: counts.problem, isWaiting: true }),
    app.isAdmin && h(Actions, { service }),
    h(Tabs, {
      kind: 'service',
      id,
      present: tab,
      tabs: [
        { id: 'overview', title: t('overview'), content: () => overview(service) },
        { id: 'tasks', title: t('tasks'), content: () => taskLines([...app.state.tasksOfService(id)]) },
        { id: 'logs', title: t('logs'), content: () => h(Logs, { path: `/api/services/${id}/logs` }) },
        {
          id: 'history',
          title: t('history'),
          content: () =>
            h(EventList, {
              events: app.state.events.filter((event) => event.service === id || event.id === id),
            }),
        },
      ],
    }),
  )
}

function overview(service: ServiceRow): ComponentChild {
  const now = Date.now()
  return h(
    'div',
    null,
    facts([
      ['ID', h('code', null, service.id)],
      [t('image'), h('code', null, service.image)],
      [t('mode'), service.mode],
      [t('ports'), portsText(service.ports)],
      [
        t('networks'),
        (service.networks ?? []).map((one) => app.state.networks.get(one)?.name ?? one).join(', '),
      ],
      [t('stack'), service.stack],
      [t('update'), service.update?.message],
      [t('created'), agoText(now - service.createdAt)],
      [t('updated'), agoText(now - service.updatedAt)],
    ]),
    h(IngressOfService, { id: service.id, stamp: app.state.stamp }),
    taskLines([...app.state.tasksOfService(service.id)].filter((task) => task.desired === 'running')),
  )
}

function Actions({ service }: { service: ServiceRow }): ComponentChild {
  const path = `/api/services/${service.id}`
  const action = (text: string, ask: () => void, isDangerous = false) =>
    h('button', { class: isDangerous ? 'danger-quiet' : 'secondary', onClick: ask }, text)
  return h(
    'div',
    { class: 'actions' },
    service.mode === 'replicated' &&
      action(t('scale'), () => {
        app.ask({
          title: `${t('scale')}: ${service.name}`,
          text: t('scaleText'),
          action: t('scale'),
          field: { label: t('replicas'), value: String(service.replicas ?? 1), type: 'number' },
          run: (value) => call('POST', `${path}/scale`, { replicas: Number(value) }),
        })
      }),
    action(t('updateImage'), () => {
      app.ask({
        title: `${t('updateImage')}: ${service.name}`,
        text: t('imageText'),
        action: t('updateImage'),
        field: { label: t('image'), value: service.image, type: 'text' },
        run: (value) => call('POST', `${path}/image`, { image: value }),
      })
    }),
    service.hasPrevious === true &&
      action(t('rollback'), () => {
        app.ask({
          title: `${t('rollback')}: ${service.name}`,
          text: t('rollbackText'),
          action: t('rollback'),
          run: () => call('POST', `${path}/rollback`),
        })
      }),
    action(t('restart'), () => {
      app.ask({
        title: `${t('restart')}: ${service.name}`,
        text: t('restartText'),
        action: t('restart'),
        run: () => call('POST', `${path}/restart`),
      })
    }),
    action(
      t('remove'),
      () => {
        app.ask({
          title: `${t('remove')}: ${service.name}`,
          text: t('removeServiceText'),
          action: t('remove'),
          isDangerous: true,
          run: async () => {
            await call('DELETE', path)
            app.closePanel()
          },
        })
      },
      true,
    ),
  )
}
