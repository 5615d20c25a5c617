import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { NodeRow } from '../../src/api/dashboard/wire.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { nodeBadge } from '../parts/badge.ts'
import { Table } from '../parts/table.ts'
import type { Column } from '../parts/table.ts'
import { hasEnded, matches, sortedNodes } from '../state/derive.ts'
import { bytesText } from '../state/format.ts'
import { Head } from './head.ts'

export const roleText = (node: NodeRow): string => (node.leader === true ? t('leader') : t(node.role))

function liveTasks(node: NodeRow): number {
  let count = 0
  for (const task of app.state.tasksOfNode(node.id)) if (!hasEnded(task)) count += 1
  return count
}

const columns = (): readonly Column<NodeRow>[] => [
  { title: t('name'), width: 'minmax(8rem, 2fr)', cell: (row) => h('b', null, row.name) },
  { title: t('state'), width: 'minmax(7rem, 1fr)', cell: nodeBadge },
  { title: t('role'), width: '7rem', isMinor: true, cell: roleText },
  { title: t('tasks'), width: '5rem', cell: liveTasks },
  { title: t('cpu'), width: '5rem', isMinor: true, cell: (row) => String(row.cpus) },
  { title: t('memory'), width: '6rem', isMinor: true, cell: (row) => bytesText(row.memoryBytes) },
  {
    title: t('address'),
    width: 'minmax(8rem, 1fr)',
    isMinor: true,
    cell: (row) => h('code', null, row.address),
  },
  { title: t('engine'), width: 'minmax(7rem, 1fr)', isMinor: true, cell: (row) => row.engine },
]

export function Nodes(): ComponentChild {
  const { state, query } = app
  const rows = sortedNodes(state).filter((row) =>
    matches(query, row.name, row.role, row.state, row.address, row.availability),
  )
  return h(
    'section',
    { class: 'listing' },
    h(Head, { title: t('nodes'), count: rows.length }),
    h(Table<NodeRow>, {
      label: t('nodes'),
      rows,
      columns: columns(),
      isFiltered: query !== '',
      keyOf: (row) => row.id,
      onOpen: (row) => {
        app.open('node', row.id)
      },
    }),
  )
}
