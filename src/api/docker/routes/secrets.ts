import { created, done, ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { secretFromModel, secretSpecToModel } from '../convert/secret.ts'
import type { FacadeParts } from '../facade.ts'
import { matches, matchesLabels, parseFilters } from '../filters.ts'
import { find } from '../find.ts'
import { bodyOf, refuseTemplating, versionOf, waitOf } from './support.ts'

const filterNames = ['id', 'label', 'name', 'names'] as const

export function registerSecretRoutes(router: Router, { node }: FacadeParts): void {
  router.add('GET', '/secrets', async (request) => {
    const { view } = node.control()
    const filters = parseFilters(request.query.get('filters'), filterNames)
    const found = [...view.list('secret')].filter(
      (secret) =>
        matches(filters, 'id', (id) => secret.meta.id.startsWith(id)) &&
        matches(filters, 'name', (name) => secret.spec.name.startsWith(name)) &&
        matches(filters, 'names', (name) => secret.spec.name === name) &&
        matchesLabels(filters, 'label', secret.spec.labels),
    )
    return ok(found.map(secretFromModel))
  })

  router.add('POST', '/secrets/create', async (request) => {
    const control = node.control()
    const spec = secretSpecToModel(await bodyOf(request))
    refuseTemplating('secret', spec, request)
    using wait = waitOf(request)
    const secret = await control.createSecret(spec, { wait })
    return created({ ID: secret.meta.id })
  })

  router.add('GET', '/secrets/{id}', async (request) => {
    const { view } = node.control()
    return ok(secretFromModel(find(view, 'secret', request.params['id'] ?? '')))
  })

  router.add('POST', '/secrets/{id}/update', async (request) => {
    const control = node.control()
    const spec = secretSpecToModel(await bodyOf(request))
    const version = versionOf(request)
    const secret = find(control.view, 'secret', request.params['id'] ?? '')
    using wait = waitOf(request)
    await control.updateSecret(secret.meta.id, version, spec, { wait })
    return done()
  })

  router.add('DELETE', '/secrets/{id}', async (request) => {
    const control = node.control()
    const secret = find(control.view, 'secret', request.params['id'] ?? '')
    using wait = waitOf(request)
    await control.removeSecret(secret.meta.id, { wait })
    return done(204)
  })
}
