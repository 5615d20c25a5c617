import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { TaskRow } from '../../src/api/dashboard/wire.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { swatch, taskBadge } from '../parts/badge.ts'
import { Table } from '../parts/table.ts'
import type { Column } from '../parts/table.ts'
import { byPlace, hasEnded, matches, taskName } from '../state/derive.ts'
import { agoText } from '../state/format.ts'
import { Head } from './head.ts'

const nodeName = (task: TaskRow): string => app.state.nodes.get(task.node)?.name ?? (task.node || '–')

export const taskColumns = (): readonly Column<TaskRow>[] => [
  {
    title: t('name'),
    width: 'minmax(9rem, 2fr)',
    cell: (row) => [swatch(row.service), h('b', null, taskName(row))],
  },
  { title: t('state'), width: '8rem', cell: taskBadge },
  { title: t('node'), width: 'minmax(6rem, 1fr)', cell: nodeName },
  { title: t('since'), width: '5rem', isMinor: true, cell: (row) => agoText(Date.now() - row.since) },
  {
    title: t('message'),
    width: 'minmax(8rem, 3fr)',
    isMinor: true,
    cell: (row) => (row.error === undefined ? row.message : h('span', { class: 'bad-text' }, row.error)),
  },
]

/** The living first, as they are what one looks for; then what was, the latest first. */
export const byLife = (a: TaskRow, b: TaskRow): number =>
  Number(hasEnded(a)) - Number(hasEnded(b)) || (hasEnded(a) ? b.since - a.since : byPlace(a, b))

export function Tasks(): ComponentChild {
  const { state, query } = app
  const rows = [...state.tasks.values()]
    .filter((row) => matches(query, taskName(row), row.state, nodeName(row), row.image, row.error, row.id))
    .sort(byLife)
  return h(
    'section',
    { class: 'listing' },
    h(Head, { title: t('tasks'), count: rows.length }),
    h(Table<TaskRow>, {
      label: t('tasks'),
      rows,
      columns: taskColumns(),
      isFiltered: query !== '',
      keyOf: (row) => row.id,
      onOpen: (row) => {
        app.open('task', row.id)
      },
    }),
  )
}
