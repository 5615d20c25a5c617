import { MureError } from '#lib/errors.ts'
import type { Control } from '#manager/control/control.ts'
import type { Service, ServiceSpec } from '#model/service.ts'
import type { ApiRequest } from '../../http/request.ts'
import { done } from '../../http/response.ts'
import type { ApiResponse } from '../../http/response.ts'
import type { LocalNode } from '../../backend.ts'
import type { RouteTable } from './route-table.ts'
import { bodyOf, present, textIn, waitOf, wholeNumberIn } from './support.ts'

const mostReplicas = 100_000

export function registerServiceRoutes(routes: RouteTable, node: LocalNode): void {
  const change =
    (edit: (spec: ServiceSpec, request: ApiRequest) => Promise<ServiceSpec>) =>
    async (request: ApiRequest): Promise<ApiResponse> => {
      const control = node.control()
      const service = present(control.view, 'service', request)
      await update(control, service, await edit(service.spec, request), request)
      return done(204)
    }

  routes.add(
    'POST',
    '/api/services/{id}/scale',
    'admin',
    change(async (spec, request) =>
      scaled(spec, wholeNumberIn(await bodyOf(request), 'replicas', mostReplicas)),
    ),
  )
  routes.add(
    'POST',
    '/api/services/{id}/image',
    'admin',
    change(async (spec, request) => withImage(spec, textIn(await bodyOf(request), 'image'))),
  )
  routes.add(
    'POST',
    '/api/services/{id}/restart',
    'admin',
    change(async (spec) => ({
      ...spec,
      template: { ...spec.template, forceUpdate: (spec.template.forceUpdate ?? 0) + 1 },
    })),
  )

  routes.add('POST', '/api/services/{id}/rollback', 'admin', async (request) => {
    const control = node.control()
    const { meta } = present(control.view, 'service', request)
    using wait = waitOf(request)
    await control.rollbackService(meta.id, meta.version, { wait })
    return done(204)
  })

  routes.add('DELETE', '/api/services/{id}', 'admin', async (request) => {
    const control = node.control()
    using wait = waitOf(request)
    await control.removeService(present(control.view, 'service', request).meta.id, { wait })
    return done(204)
  })
}

async function update(
  control: Control,
  { meta }: Service,
  spec: ServiceSpec,
  request: ApiRequest,
): Promise<void> {
  using wait = waitOf(request)
  await control.updateService(meta.id, meta.version, spec, { wait })
}

function scaled(spec: ServiceSpec, replicas: number): ServiceSpec {
  if (spec.mode.type !== 'replicated')
    throw new MureError('invalid', `a ${spec.mode.type} service is not scaled: only replicated ones are`)
  return { ...spec, mode: { ...spec.mode, replicas } }
}

function withImage(spec: ServiceSpec, image: string): ServiceSpec {
  if (/\s/.test(image) || image.length > 255) throw new MureError('invalid', `"${image}" is no image name`)
  const [first, ...others] = spec.template.containers
  if (first === undefined) throw new MureError('invalid', 'this service has no container')
  return { ...spec, template: { ...spec.template, containers: [{ ...first, image }, ...others] } }
}
