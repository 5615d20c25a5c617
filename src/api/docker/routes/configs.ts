import { created, done, ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { configFromModel, configSpecToModel } from '../convert/secret.ts'
import type { FacadeParts } from '../facade.ts'
import { matches, matchesLabels, parseFilters } from '../filters.ts'
import { find } from '../find.ts'
import { bodyOf, refuseTemplating, versionOf, waitOf } from './support.ts'

const filterNames = ['id', 'label', 'name'] as const

export function registerConfigRoutes(router: Router, { node }: FacadeParts): void {
  router.add('GET', '/configs', async (request) => {
    const { view } = node.control()
    const filters = parseFilters(request.query.get('filters'), filterNames)
    const found = [...view.list('config')].filter(
      (config) =>
        matches(filters, 'id', (id) => config.meta.id.startsWith(id)) &&
        matches(filters, 'name', (name) => config.spec.name.startsWith(name)) &&
        matchesLabels(filters, 'label', config.spec.labels),
    )
    return ok(found.map(configFromModel))
  })

  router.add('POST', '/configs/create', async (request) => {
    const control = node.control()
    const spec = configSpecToModel(await bodyOf(request))
    refuseTemplating('config', spec, request)
    using wait = waitOf(request)
    const config = await control.createConfig(spec, { wait })
    return created({ ID: config.meta.id })
  })

  router.add('GET', '/configs/{id}', async (request) => {
    const { view } = node.control()
    return ok(configFromModel(find(view, 'config', request.params['id'] ?? '')))
  })

  router.add('POST', '/configs/{id}/update', async (request) => {
    const control = node.control()
    const spec = configSpecToModel(await bodyOf(request))
    const version = versionOf(request)
    const config = find(control.view, 'config', request.params['id'] ?? '')
    using wait = waitOf(request)
    await control.updateConfig(config.meta.id, version, spec, { wait })
    return done()
  })

  router.add('DELETE', '/configs/{id}', async (request) => {
    const control = node.control()
    const config = find(control.view, 'config', request.params['id'] ?? '')
    using wait = waitOf(request)
    await control.removeConfig(config.meta.id, { wait })
    return done(204)
  })
}
