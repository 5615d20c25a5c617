import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { ServiceRow } from '../../src/api/dashboard/wire.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { serviceBadge, swatch } from '../parts/badge.ts'
import { Table } from '../parts/table.ts'
import type { Column } from '../parts/table.ts'
import { byName, countsOf, matches } from '../state/derive.ts'
import { portsText } from '../state/format.ts'
import { Head } from './head.ts'

export const serviceColumns = (): readonly Column<ServiceRow>[] => [
  { title: t('name'), width: 'minmax(9rem, 2fr)', cell: (row) => [swatch(row.id), h('b', null, row.name)] },
  { title: t('replicas'), width: '6.5rem', cell: (row) => serviceBadge(row, countsOf(app.state, row)) },
  { title: t('mode'), width: '7rem', isMinor: true, cell: (row) => row.mode },
  { title: t('image'), width: 'minmax(9rem, 3fr)', isMinor: true, cell: (row) => h('code', null, row.image) },
  { title: t('ports'), width: 'minmax(6rem, 1.5fr)', isMinor: true, cell: (row) => portsText(row.ports) },
  {
    title: t('status'),
    width: 'minmax(7rem, 2fr)',
    isMinor: true,
    cell: (row) => countsOf(app.state, row).problem ?? row.update?.message ?? '',
  },
]

export function Services(): ComponentChild {
  const { state, query } = app
  const rows = [...state.services.values()]
    .filter((row) => matches(query, row.name, row.image, row.stack, row.mode))
    .sort(byName)
  return h(
    'section',
    { class: 'listing' },
    h(Head, { title: t('services'), count: rows.length }),
    h(Table<ServiceRow>, {
      label: t('services'),
      rows,
      columns: serviceColumns(),
      isFiltered: query !== '',
      keyOf: (row) => row.id,
      onOpen: (row) => {
        app.open('service', row.id)
      },
    }),
  )
}
