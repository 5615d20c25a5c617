import type { Router } from '../../http/router.ts'
import { streamEvents } from '../events/merged.ts'
import type { FacadeParts } from '../facade.ts'

/** The engine's events and the cluster's as one stream. */
export function registerEventRoutes(router: Router, parts: FacadeParts): void {
  router.add('GET', '/events', async (request) => {
    const { engine, events, facts } = parts
    if (events === undefined) return parts.forward(request)
    const behind = { engine, apiVersion: facts.apiVersion, cluster: events }
    return streamEvents(request, behind, BigInt(Date.now()) * 1_000_000n)
  })
}
