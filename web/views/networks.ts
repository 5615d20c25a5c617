import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { NetworkRow } from '../../src/api/dashboard/wire.ts'
import { call } from '../api.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { removeButton } from '../parts/remove-button.ts'
import { Table } from '../parts/table.ts'
import type { Column } from '../parts/table.ts'
import { byName, matches } from '../state/derive.ts'
import { Head } from './head.ts'

const columns = (): readonly Column<NetworkRow>[] => [
  { title: t('name'), width: 'minmax(9rem, 2fr)', cell: (row) => h('b', null, row.name) },
  { title: t('driver'), width: '6rem', cell: (row) => row.driver },
  {
    title: t('subnet'),
    width: 'minmax(9rem, 2fr)',
    isMinor: true,
    cell: (row) => h('code', null, row.subnets.join(', ')),
  },
  { title: t('services'), width: 'minmax(8rem, 2fr)', isMinor: true, cell: usersOf },
  {
    title: t('status'),
    width: 'minmax(6rem, 1fr)',
    isMinor: true,
    cell: (row) =>
      row.error ?? (row.ingress === true ? t('ingress') : row.attachable === true ? 'attachable' : ''),
  },
  {
    title: '',
    width: '6rem',
    cell: (row) => removeButton(row.name, () => call('DELETE', `/api/networks/${row.id}`)),
  },
]

const usersOf = ({ id }: NetworkRow): string =>
  [...app.state.services.values()]
    .filter(({ networks }) => networks?.includes(id) === true)
    .map(({ name }) => name)
    .join(', ')

export function Networks(): ComponentChild {
  const { state, query } = app
  const rows = [...state.networks.values()]
    .filter((row) => matches(query, row.name, row.driver, ...row.subnets))
    .sort(byName)
  return h(
    'section',
    { class: 'listing' },
    h(Head, { title: t('networks'), count: rows.length }),
    h(Table<NetworkRow>, {
      label: t('networks'),
      rows,
      columns: columns(),
      isFiltered: query !== '',
      keyOf: (row) => row.id,
    }),
  )
}
