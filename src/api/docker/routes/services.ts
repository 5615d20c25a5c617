import { MureError } from '#lib/errors.ts'
import type { View } from '#manager/control/control.ts'
import type { Service, ServiceSpec } from '#model/service.ts'
import type { ApiRequest } from '../../http/request.ts'
import { created, done, ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { asKnownTo } from '../convert/older-clients.ts'
import { serviceFromModel, serviceSpecToModel } from '../convert/service.ts'
import type { FacadeParts } from '../facade.ts'
import { matches, matchesLabels, parseFilters } from '../filters.ts'
import type { Filters } from '../filters.ts'
import { find } from '../find.ts'
import { countTasks } from '../service-counts.ts'
import { isOlder } from '../versions.ts'
import { bodyOf, parsedFlagOf, versionOf, waitOf } from './support.ts'

const filterNames = ['id', 'label', 'mode', 'name'] as const

export function registerServiceRoutes(router: Router, { node }: FacadeParts): void {
  router.add('GET', '/services', async (request) => {
    const { view } = node.control()
    const filters = parseFilters(request.query.get('filters'), filterNames)
    const withStatus = !isOlder(request.version, '1.41') && parsedFlagOf(request, 'status')
    const services = [...view.list('service')].filter((service) => passes(service, filters))
    return ok(
      services.map((service) =>
        serviceFromModel(service, withStatus ? countTasks(view, service) : undefined),
      ),
    )
  })

  router.add('POST', '/services/create', async (request) => {
    const control = node.control()
    const spec = specOf(request, await bodyOf(request), registryAuthOf(request))
    using wait = waitOf(request)
    const service = await control.createService(spec, { wait })
    return created({ ID: service.meta.id })
  })

  router.add('GET', '/services/{id}', async (request) => {
    const { view } = node.control()
    const insertDefaults = parsedFlagOf(request, 'insertDefaults')
    const service = find(view, 'service', request.params['id'] ?? '')
    return ok(serviceFromModel(service, undefined, insertDefaults))
  })

  router.add('POST', '/services/{id}/update', async (request) => {
    const control = node.control()
    const service = find(control.view, 'service', request.params['id'] ?? '')
    const version = versionOf(request)
    const rollback = request.query.get('rollback') ?? ''
    if (rollback !== '' && rollback !== 'previous')
      throw new MureError('invalid', `unrecognized rollback option ${rollback}`)
    const body = await bodyOf(request)
    using wait = waitOf(request)
    if (rollback === 'previous') await control.rollbackService(service.meta.id, version, { wait })
    else {
      const auth = registryAuthOf(request) ?? keptAuth(control.view, service, request)
      await control.updateService(service.meta.id, version, specOf(request, body, auth), { wait })
    }
    return ok({ Warnings: null })
  })

  router.add('DELETE', '/services/{id}', async (request) => {
    const control = node.control()
    const service = find(control.view, 'service', request.params['id'] ?? '')
    using wait = waitOf(request)
    await control.removeService(service.meta.id, { wait })
    return done()
  })
}

const specOf = ({ version }: ApiRequest, body: unknown, registryAuth: string | undefined): ServiceSpec =>
  asKnownTo(version, serviceSpecToModel(body, registryAuth))

function passes(service: Service, filters: Filters): boolean {
  return (
    matches(filters, 'id', (id) => service.meta.id.startsWith(id)) &&
    matches(filters, 'name', (name) => service.spec.name.startsWith(name)) &&
    matches(filters, 'mode', (mode) => service.spec.mode.type === mode) &&
    matchesLabels(filters, 'label', service.spec.labels)
  )
}

function registryAuthOf(request: ApiRequest): string | undefined {
  const header = request.message.headers['x-registry-auth']
  const text = Array.isArray(header) ? header[0] : header
  return text === undefined || text === '' ? undefined : text
}

/** Without new credentials an update keeps those of the present spec, or of the one before (`registryAuthFrom`). */
function keptAuth(view: View, service: Service, request: ApiRequest): string | undefined {
  const present = view.get('service', service.meta.id) ?? service
  const from = request.query.get('registryAuthFrom') ?? 'spec'
  if (from !== 'spec' && from !== 'previous-spec' && from !== '')
    throw new MureError('invalid', 'unsupported registryAuthFrom value')
  const spec = from === 'previous-spec' ? present.status.previousSpec : present.spec
  return spec?.template.containers[0]?.registryAuth
}
