import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { IngressAnswer } from '../../src/api/dashboard/wire.ts'
import { t } from '../i18n/index.ts'
import { useIngress } from '../parts/use-ingress.ts'

/** Where a browser finds what a route leads to. */
export const urlOf = ({ host, path, isSecure }: IngressAnswer['routes'][number]): string =>
  `${isSecure ? 'https' : 'http'}://${host}${path}`

/** The host names that lead to a service, and what of its wishes cannot be done. */
export function IngressOfService({ id, stamp }: { id: string; stamp: unknown }): ComponentChild {
  const answer = useIngress(stamp)
  const isOfService = ({ serviceId }: { serviceId: string }) => serviceId === id
  const routes = answer?.routes.filter(isOfService) ?? []
  const problems = answer?.problems.filter(isOfService) ?? []
  if (routes.length === 0 && problems.length === 0) return undefined
  return h(
    'div',
    { class: 'ingress-of-service' },
    h(
      'div',
      { class: 'legend' },
      routes.map((route) =>
        h(
          'a',
          { key: urlOf(route), class: 'chip link', href: urlOf(route), target: '_blank', rel: 'noreferrer' },
          `${route.host}${route.path === '/' ? '' : route.path}`,
        ),
      ),
    ),
    problems.map(({ message }) =>
      h('p', { key: message, class: 'notice', role: 'note' }, `${t('ingress')}: ${message}`),
    ),
  )
}
