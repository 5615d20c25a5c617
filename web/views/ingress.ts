import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { IngressAnswer } from '../../src/api/dashboard/wire.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { urlOf } from '../panel/ingress-of-service.ts'
import { badge, swatch } from '../parts/badge.ts'
import { Table } from '../parts/table.ts'
import type { Column } from '../parts/table.ts'
import { useIngress } from '../parts/use-ingress.ts'
import { matches } from '../state/derive.ts'
import { Head } from './head.ts'

type RouteRow = IngressAnswer['routes'][number]

const columns = (): readonly Column<RouteRow>[] => [
  {
    title: t('host'),
    width: 'minmax(9rem, 2fr)',
    cell: (row) => h('a', { class: 'link', href: urlOf(row), target: '_blank', rel: 'noreferrer' }, row.host),
  },
  { title: t('path'), width: 'minmax(4rem, 1fr)', isMinor: true, cell: (row) => h('code', null, row.path) },
  {
    title: t('service'),
    width: 'minmax(8rem, 2fr)',
    cell: (row) => [swatch(row.serviceId), `${row.serviceName}:${String(row.port)}`],
  },
  { title: t('tls'), width: '5rem', isMinor: true, cell: (row) => (row.isSecure ? 'TLS' : '–') },
  {
    title: t('targets'),
    width: '7rem',
    cell: (row) => badge(row.targets > 0 ? 'good' : 'bad', String(row.targets)),
  },
]

/** Which host names lead where, and what stands in the way. */
export function Ingress(): ComponentChild {
  const answer = useIngress(app.state.stamp)
  if (answer === undefined) return h('p', { class: 'empty' }, t('connecting'))
  if (!answer.enabled) return h('p', { class: 'empty' }, t('ingressOff'))
  const rows = answer.routes.filter((row) => matches(app.query, row.host, row.path, row.serviceName))
  const problems = [
    ...answer.problems.map(({ serviceName, message }) => `${serviceName}: ${message}`),
    ...answer.nodes.flatMap(({ hostname, problems: own }) => own.map((text) => `${hostname}: ${text}`)),
  ]
  return h(
    'section',
    { class: 'listing' },
    h(Head, { title: t('ingress'), count: rows.length }),
    h(
      'div',
      { class: 'legend' },
      answer.nodes.map((node) =>
        h(
          'span',
          { key: node.id, class: 'chip' },
          badge(
            node.state === 'running' ? 'good' : node.state === 'starting' ? 'busy' : 'bad',
            node.hostname,
          ),
        ),
      ),
    ),
    problems.map((text) => h('p', { key: text, class: 'notice', role: 'note' }, text)),
    h(Table<RouteRow>, {
      label: t('ingress'),
      rows,
      columns: columns(),
      isFiltered: app.query !== '',
      keyOf: (row) => `${row.host}${row.path}`,
      onOpen: (row) => {
        app.open('service', row.serviceId)
      },
    }),
  )
}
