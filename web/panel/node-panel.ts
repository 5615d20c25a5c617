import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { NodeRow } from '../../src/api/dashboard/wire.ts'
import { call } from '../api.ts'
import { app } from '../app.ts'
import type { Words } from '../i18n/en.ts'
import { t } from '../i18n/index.ts'
import { nodeBadge } from '../parts/badge.ts'
import { EventList } from '../parts/event-list.ts'
import { Usage } from '../parts/usage.ts'
import { hasEnded } from '../state/derive.ts'
import { bytesText } from '../state/format.ts'
import { roleText } from '../views/nodes.ts'
import { facts } from './facts.ts'
import { Tabs } from './tabs.ts'
import { taskLines } from './task-lines.ts'

export function NodePanel({ id, tab }: { id: string; tab: string }): ComponentChild {
  const node = app.state.nodes.get(id)
  if (node === undefined) return h('p', { class: 'empty' }, t('nothing'))
  const tasks = () => [...app.state.tasksOfNode(id)].filter((task) => !hasEnded(task))
  return h(
    'div',
    { class: 'panel-body' },
    h(
      'header',
      { class: 'panel-head' },
      h('p', { class: 'kind' }, roleText(node)),
      h('h2', null, node.name),
      nodeBadge(node),
    ),
    node.message !== undefined && h('div', { class: 'why', role: 'note' }, h('p', null, node.message)),
    app.isAdmin && h(Actions, { node }),
    h(Tabs, {
      kind: 'node',
      id,
      present: tab,
      tabs: [
        { id: 'overview', title: t('overview'), content: () => overview(node) },
        {
          id: 'usage',
          title: t('usage'),
          content: () => h(Usage, { id, cpus: node.cpus, memoryBytes: node.memoryBytes }),
        },
        { id: 'tasks', title: t('tasks'), content: () => taskLines(tasks()) },
        {
          id: 'history',
          title: t('history'),
          content: () => h(EventList, { events: app.state.events.filter((event) => event.node === id) }),
        },
      ],
    }),
  )
}

const overview = (node: NodeRow): ComponentChild =>
  facts([
    ['ID', h('code', null, node.id)],
    [t('role'), node.wantedRole === undefined ? roleText(node) : `${t(node.role)} → ${t(node.wantedRole)}`],
    [t('state'), node.state],
    [t('availability'), node.availability],
    [t('address'), h('code', null, node.address)],
    [t('cpu'), String(node.cpus)],
    [t('memory'), bytesText(node.memoryBytes)],
    [t('engine'), node.engine],
    [t('platform'), node.platform],
    [
      t('labels'),
      Object.entries(node.labels ?? {})
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
    ],
  ])

function Actions({ node }: { node: NodeRow }): ComponentChild {
  const path = `/api/nodes/${node.id}`
  const action = (name: keyof Words, text: keyof Words, run: () => Promise<unknown>) =>
    h(
      'button',
      {
        class: name === 'remove' ? 'danger-quiet' : 'secondary',
        onClick: () => {
          app.ask({
            title: `${t(name)}: ${node.name}`,
            text: t(text),
            action: t(name),
            isDangerous: name === 'remove' || name === 'drain' || name === 'demote',
            run,
          })
        },
      },
      t(name),
    )
  const available = (availability: string) => () => call('POST', `${path}/availability`, { availability })
  return h(
    'div',
    { class: 'actions' },
    node.availability !== 'active' && action('activate', 'activateText', available('active')),
    node.availability !== 'pause' && action('pause', 'pauseText', available('pause')),
    node.availability !== 'drain' && action('drain', 'drainText', available('drain')),
    node.role === 'worker'
      ? action('promote', 'promoteText', () => call('POST', `${path}/role`, { role: 'manager' }))
      : action('demote', 'demoteText', () => call('POST', `${path}/role`, { role: 'worker' })),
    node.state === 'down' &&
      node.role === 'worker' &&
      action('remove', 'removeNodeText', async () => {
        await call('DELETE', path)
        app.closePanel()
      }),
  )
}
