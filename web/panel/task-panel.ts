import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { TaskRow } from '../../src/api/dashboard/wire.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { swatch, taskBadge } from '../parts/badge.ts'
import { EventList } from '../parts/event-list.ts'
import { Logs } from '../parts/logs.ts'
import { Usage } from '../parts/usage.ts'
import { TerminalTab } from '../parts/terminal.ts'
import { taskName } from '../state/derive.ts'
import { agoText, bytesText } from '../state/format.ts'
import { facts } from './facts.ts'
import { Why } from './why.ts'
import { Tabs } from './tabs.ts'

export function TaskPanel({ id, tab }: { id: string; tab: string }): ComponentChild {
  const task = app.state.tasks.get(id)
  if (task === undefined) return h('p', { class: 'empty' }, t('nothing'))
  return h(
    'div',
    { class: 'panel-body' },
    h(
      'header',
      { class: 'panel-head' },
      h('p', { class: 'kind' }, t('task')),
      h('h2', null, swatch(task.service), taskName(task)),
      taskBadge(task),
    ),
    task.error !== undefined && h(Why, { id, reason: task.error, isWaiting: task.state === 'pending' }),
    h(Tabs, {
      kind: 'task',
      id,
      present: tab,
      tabs: [
        { id: 'overview', title: t('overview'), content: () => overview(task) },
        { id: 'logs', title: t('logs'), content: () => h(Logs, { path: `/api/tasks/${id}/logs` }) },
        ...(app.isAdmin
          ? [{ id: 'terminal', title: t('terminal'), content: () => h(TerminalTab, { task }) }]
          : []),
        {
          id: 'usage',
          title: t('usage'),
          content: () => h(Usage, { id, cpus: task.cpuLimit, memoryBytes: task.memoryLimit }),
        },
        {
          id: 'history',
          title: t('history'),
          content: () => h(EventList, { events: app.state.events.filter((event) => event.id === id) }),
        },
      ],
    }),
  )
}

function overview(task: TaskRow): ComponentChild {
  const node = app.state.nodes.get(task.node)
  const open = (kind: 'service' | 'node', id: string, text: string) =>
    h(
      'button',
      {
        class: 'link',
        onClick: () => {
          app.open(kind, id)
        },
      },
      text,
    )
  return facts([
    ['ID', h('code', null, task.id)],
    [t('service'), open('service', task.service, task.serviceName)],
    [t('node'), node === undefined ? '–' : open('node', node.id, node.name)],
    [t('state'), `${task.state} (${agoText(Date.now() - task.since)})`],
    [t('desired'), task.desired],
    [t('message'), task.message],
    [t('exitCode'), task.exitCode === undefined ? undefined : String(task.exitCode)],
    [t('image'), h('code', null, task.image)],
    [t('container'), task.container === undefined ? undefined : h('code', null, task.container.slice(0, 12))],
    [t('cpu'), task.cpuLimit === undefined ? undefined : String(task.cpuLimit)],
    [t('memory'), task.memoryLimit === undefined ? undefined : bytesText(task.memoryLimit)],
  ])
}
