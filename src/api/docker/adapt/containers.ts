import { MureError } from '#lib/errors.ts'
import { bodyAdaptor } from './adaptor.ts'
import type { Adaptor, AdaptedCall, EngineAnswer } from './adaptor.ts'
import { refuseEndpointAddress, refuseEndpointSysctls, splitEndpoints } from './endpoints.ts'
import { asObject, asText, isSet, tooOld } from './json.ts'
import type { JsonObject } from './json.ts'
import {
  bindCreatedMountpoints,
  refuseForeignOptions,
  refuseReadOnlyRecursive,
  refuseSubpaths,
  refuseTmpfsOptions,
} from './mounts.ts'

/** @see https://docs.docker.com/reference/api/engine/version-history/#v142-api-changes and the later ones */
export const containerAdaptors: readonly Adaptor[] = [
  hostConfigAdaptor('1.42', (hostConfig) => {
    dropKernelMemory(hostConfig)
    refuseForeignOptions(hostConfig)
    bindCreatedMountpoints(hostConfig)
  }),
  hostConfigAdaptor('1.43', (hostConfig) => {
    if (Object.keys(asObject(hostConfig['Annotations']) ?? {}).length > 0) throw tooOld('annotation', '1.43')
  }),
  {
    since: '1.44',
    method: 'POST',
    path: '/containers/create',
    readsBody: true,
    adapt: createWithNewerOptions,
  },
  hostConfigAdaptor('1.45', refuseSubpaths),
  hostConfigAdaptor('1.46', refuseTmpfsOptions),
  bodyAdaptor('1.46', '/containers/create', (body) => {
    const endpoints = asObject(asObject(body['NetworkingConfig'])?.['EndpointsConfig']) ?? {}
    for (const endpoint of Object.values(endpoints)) refuseEndpointSysctls(asObject(endpoint))
  }),
  bodyAdaptor('1.46', '/networks/{id}/connect', (body) => {
    refuseEndpointSysctls(asObject(body['EndpointConfig']))
  }),
  bodyAdaptor('1.42', '/containers/{id}/update', dropKernelMemory),
  {
    since: '1.42',
    method: 'POST',
    path: '/containers/{id}/wait',
    check(query) {
      const condition = query.get('condition') ?? ''
      if (!['', 'not-running', 'next-exit', 'removed'].includes(condition))
        throw new MureError('invalid', `invalid condition: "${condition}"`)
    },
  },
  bodyAdaptor('1.44', '/networks/{id}/connect', refuseEndpointAddress),
]

function hostConfigAdaptor(since: string, adapt: (hostConfig: JsonObject) => void): Adaptor {
  return bodyAdaptor(since, '/containers/create', (body) => {
    const hostConfig = asObject(body['HostConfig'])
    if (hostConfig !== undefined) adapt(hostConfig)
  })
}

/** 1.42: removed, and ignored from then on. */
function dropKernelMemory(resources: JsonObject): void {
  delete resources['KernelMemory']
}

async function createWithNewerOptions(
  call: AdaptedCall,
  next: () => Promise<EngineAnswer>,
): Promise<EngineAnswer> {
  const body = asObject(call.body)
  if (body === undefined) return next()
  const warnings: string[] = []
  const health = asObject(body['Healthcheck'])
  if (isSet(health?.['StartInterval'])) {
    // The checks run all the same, only less often at first: not worth a refusal.
    warnings.push(
      'The Docker Engine of this host knows no start interval of health checks; it was discarded.',
    )
    delete health?.['StartInterval']
  }
  const hostConfig = asObject(body['HostConfig'])
  if (hostConfig !== undefined) refuseReadOnlyRecursive(hostConfig)
  const later = splitEndpoints(body)
  const answer = await next()
  if (answer.status !== 201) return answer
  const created = asObject(answer.json) ?? {}
  const id = asText(created['Id'])
  for (const [network, endpoint] of later) {
    const path = `/networks/${encodeURIComponent(network)}/connect`
    const connected = await call.engine('POST', path, { Container: id, EndpointConfig: endpoint })
    if (connected.status >= 400) {
      await call.engine('DELETE', `/containers/${id}?force=1&v=1`)
      return connected
    }
  }
  const own = Array.isArray(created['Warnings']) ? (created['Warnings'] as unknown[]) : []
  return { status: 201, json: { ...created, Warnings: [...own, ...warnings] } }
}
