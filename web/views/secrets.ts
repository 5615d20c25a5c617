import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { NamedRow } from '../../src/api/dashboard/wire.ts'
import { call } from '../api.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { removeButton } from '../parts/remove-button.ts'
import { Table } from '../parts/table.ts'
import type { Column } from '../parts/table.ts'
import { byName, matches } from '../state/derive.ts'
import { agoText } from '../state/format.ts'
import { Head } from './head.ts'

const columns = (): readonly Column<NamedRow>[] => [
  { title: t('name'), width: 'minmax(9rem, 3fr)', cell: (row) => h('b', null, row.name) },
  { title: t('kind'), width: '6rem', cell: (row) => row.kind },
  { title: t('stack'), width: 'minmax(6rem, 1fr)', isMinor: true, cell: (row) => row.stack ?? '' },
  { title: t('created'), width: '6rem', isMinor: true, cell: (row) => agoText(Date.now() - row.createdAt) },
  {
    title: '',
    width: '6rem',
    cell: (row) => removeButton(row.name, () => call('DELETE', `/api/${row.kind}s/${row.id}`)),
  },
]

/** Their names and no more: what is in them never comes here. */
export function Secrets(): ComponentChild {
  const { state, query } = app
  const rows = [...state.secrets.values(), ...state.configs.values()]
    .filter((row) => matches(query, row.name, row.kind, row.stack))
    .sort(byName)
  return h(
    'section',
    { class: 'listing' },
    h(Head, { title: t('secrets'), count: rows.length }),
    h(Table<NamedRow>, {
      label: t('secrets'),
      rows,
      columns: columns(),
      isFiltered: query !== '',
      keyOf: (row) => `${row.kind}/${row.id}`,
    }),
  )
}
