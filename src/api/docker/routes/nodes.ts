import { done, ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { nodeFromModel, nodeSpecToModel } from '../convert/node.ts'
import type { FacadeParts } from '../facade.ts'
import { matches, matchesLabels, parseFilters, refuseOtherValues } from '../filters.ts'
import { find } from '../find.ts'
import { bodyOf, isTrue, versionOf, waitOf } from './support.ts'

const filterNames = ['id', 'label', 'membership', 'name', 'node.label', 'role'] as const

export function registerNodeRoutes(router: Router, { node }: FacadeParts): void {
  router.add('GET', '/nodes', async (request) => {
    const { view } = node.control()
    const filters = parseFilters(request.query.get('filters'), filterNames)
    refuseOtherValues(filters, 'role', ['worker', 'manager'])
    refuseOtherValues(filters, 'membership', ['accepted', 'pending'])
    const nodes = [...view.list('node')].filter(
      (candidate) =>
        matches(filters, 'id', (id) => candidate.meta.id.startsWith(id)) &&
        matches(filters, 'name', (name) => candidate.meta.name.startsWith(name)) &&
        matches(filters, 'role', (role) => ['', candidate.spec.role].includes(role.toLowerCase())) &&
        matches(filters, 'membership', (membership) =>
          ['', candidate.status.membership].includes(membership.toLowerCase()),
        ) &&
        matchesLabels(filters, 'label', candidate.status.description?.engine.labels ?? {}) &&
        matchesLabels(filters, 'node.label', candidate.spec.labels),
    )
    return ok(nodes.map(nodeFromModel))
  })

  router.add('GET', '/nodes/{id}', async (request) => {
    const { view } = node.control()
    return ok(nodeFromModel(find(view, 'node', request.params['id'] ?? '')))
  })

  router.add('POST', '/nodes/{id}/update', async (request) => {
    const control = node.control()
    const body = await bodyOf(request)
    const version = versionOf(request)
    const target = find(control.view, 'node', request.params['id'] ?? '')
    using wait = waitOf(request)
    await control.updateNode(target.meta.id, version, nodeSpecToModel(body, target.spec), { wait })
    return done()
  })

  router.add('DELETE', '/nodes/{id}', async (request) => {
    const control = node.control()
    const target = find(control.view, 'node', request.params['id'] ?? '')
    using wait = waitOf(request)
    await control.removeNode(target.meta.id, isTrue(request.query.get('force')), { wait })
    return done()
  })
}
