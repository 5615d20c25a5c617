import { MureError } from '#lib/errors.ts'
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
  {
    since: '1.42',
    method: 'POST',
    path: '/containers/create',
    readsBody: true,
    async adapt(call, next) {
      const hostConfig = asObject(asObject(call.body)?.['HostConfig'])
      if (hostConfig !== undefined) {
        dropKernelMemory(hostConfig)
        refuseForeignOptions(hostConfig)
        bindCreatedMountpoints(hostConfig)
      }
      return next()
    },
  },
  {
    since: '1.43',
    method: 'POST',
    path: '/containers/create',
    readsBody: true,
    async adapt(call, next) {
      const annotations = asObject(asObject(asObject(call.body)?.['HostConfig'])?.['Annotations']) ?? {}
      if (Object.keys(annotations).length > 0) throw tooOld('annotation', '1.43')
      return next()
    },
  },
  {
    since: '1.44',
    method: 'POST',
    path: '/containers/create',
    readsBody: true,
    adapt: createWithNewerOptions,
  },
  {
    since: '1.45',
    method: 'POST',
    path: '/containers/create',
    readsBody: true,
    async adapt(call, next) {
      const hostConfig = asObject(asObject(call.body)?.['HostConfig'])
      if (hostConfig !== undefined) refuseSubpaths(hostConfig)
      return next()
    },
  },
  {
    since: '1.46',
    method: 'POST',
    path: '/containers/create',
    readsBody: true,
    async adapt(call, next) {
      const body = asObject(call.body)
      const hostConfig = asObject(body?.['HostConfig'])
      if (hostConfig !== undefined) refuseTmpfsOptions(hostConfig)
      const endpoints = asObject(asObject(body?.['NetworkingConfig'])?.['EndpointsConfig']) ?? {}
      for (const endpoint of Object.values(endpoints)) refuseEndpointSysctls(asObject(endpoint))
      return next()
    },
  },
  {
    since: '1.46',
    method: 'POST',
    path: '/networks/{id}/connect',
    readsBody: true,
    async adapt(call, next) {
      refuseEndpointSysctls(asObject(asObject(call.body)?.['EndpointConfig']))
      return next()
    },
  },
  {
    since: '1.42',
    method: 'POST',
    path: '/containers/{id}/update',
    readsBody: true,
    async adapt(call, next) {
      const body = asObject(call.body)
      if (body !== undefined) dropKernelMemory(body)
      return next()
    },
  },
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
  {
    since: '1.44',
    method: 'POST',
    path: '/networks/{id}/connect',
    readsBody: true,
    async adapt(call, next) {
      refuseEndpointAddress(asObject(call.body))
      return next()
    },
  },
]

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
