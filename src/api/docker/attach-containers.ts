import type { Engine } from '#engine/engine.ts'
import type { ContainerInspect } from '#engine/types.ts'
import { MureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import type { ContainerPlace, LocalNode, PlaceRequest } from '../backend.ts'
import { asObject, asText } from './adapt/json.ts'
import type { JsonObject } from './adapt/json.ts'

/** The label by which the agent knows which place a container has; its value is the network's id. */
const attachmentLabel = 'mure.attachment.'

type ConnectingEngine = Pick<Engine, 'inspectContainer' | 'connectNetwork' | 'disconnectNetwork'>
type PlaceKeeper = Pick<LocalNode, 'attach' | 'detach' | 'placeOf'>
type Endpoint = NonNullable<ContainerInspect['NetworkSettings']['Networks']>[string]

/** Modes and networks that are the engine's own. */
const enginesOwn = new Set(['', 'default', 'bridge', 'host', 'none', 'nat'])

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(asText).filter((text) => text !== '') : []

/** What a container's endpoint settings ask of a network. */
function wishesOf(endpoint: JsonObject | undefined): Pick<PlaceRequest, 'aliases' | 'addresses'> {
  const ipam = asObject(endpoint?.['IPAMConfig'])
  const addresses = [asText(ipam?.['IPv4Address']), asText(ipam?.['IPv6Address'])].filter(
    (text) => text !== '',
  )
  return { aliases: texts(endpoint?.['Aliases']), addresses }
}

/** The endpoint settings with the addresses of the place. */
function settingsFor(endpoint: JsonObject | undefined, place: ContainerPlace): JsonObject {
  const four = place.addresses.find((address) => !address.includes(':'))
  const six = place.addresses.find((address) => address.includes(':'))
  return {
    ...endpoint,
    IPAMConfig: {
      ...(four === undefined ? {} : { IPv4Address: four }),
      ...(six === undefined ? {} : { IPv6Address: six }),
    },
  }
}

/**
 * A plain container that is to be on networks of the cluster gets a place on each: its address, and the name server
 * that knows their names. Changes `body`, and gives how the places are taken back if nothing comes of it.
 */
export async function attachToClusterNetworks(
  body: JsonObject,
  containerName: string,
  node: LocalNode,
  wait: Wait,
): Promise<() => Promise<void>> {
  const hostConfig = asObject(body['HostConfig'])
  const mode = asText(hostConfig?.['NetworkMode'])
  const hostname = texts([body['Hostname']])
  const endpointsNow = () => asObject(asObject(body['NetworkingConfig'])?.['EndpointsConfig']) ?? {}
  const names = new Set([mode, ...Object.keys(endpointsNow())])
  const taken: string[] = []
  const giveBack = async () => {
    for (const taskId of taken) await node.detach(taskId).catch(() => undefined)
  }
  try {
    for (const name of names) {
      if (enginesOwn.has(name) || name.startsWith('container:')) continue
      const { [name]: own, ...others } = endpointsNow()
      const endpoint = asObject(own)
      const { aliases = [], addresses = [] } = wishesOf(endpoint)
      const request = { network: name, name: containerName, addresses, aliases: [...aliases, ...hostname] }
      const place = await node.attach(request, wait)
      if (place === undefined) continue
      taken.push(place.taskId)
      body['NetworkingConfig'] = {
        EndpointsConfig: { ...others, [place.engineNetwork]: settingsFor(endpoint, place) },
      }
      if (hostConfig !== undefined) {
        if (mode === name) hostConfig['NetworkMode'] = place.engineNetwork
        const given = texts(hostConfig['Dns'])
        if (!given.includes(place.nameserver)) hostConfig['Dns'] = [place.nameserver, ...given]
      }
      body['Labels'] = {
        ...asObject(body['Labels']),
        [`${attachmentLabel}${place.taskId}`]: place.networkId,
      }
    }
  } catch (error) {
    await giveBack()
    throw error
  }
  return giveBack
}

/**
 * `docker network connect` of a container of this host, running or not. False: the network is none of the cluster's,
 * and the engine's to speak of.
 */
export async function connectToClusterNetwork(
  parts: { readonly engine: ConnectingEngine; readonly node: PlaceKeeper },
  call: { readonly network: string; readonly container: string; readonly endpoint: JsonObject | undefined },
  wait: Wait,
): Promise<boolean> {
  const { engine, node } = parts
  if (enginesOwn.has(call.network)) return false
  const container = await inspect(engine, call.container)
  if (container === undefined) return false
  const name = container.Name.replace(/^\//, '')
  const { aliases = [], addresses = [] } = wishesOf(call.endpoint)
  const place = await node.attach(
    { network: call.network, name, containerId: container.Id, aliases, addresses },
    wait,
  )
  if (place === undefined) return false
  const before = container.NetworkSettings.Networks?.[place.engineNetwork]
  const settings = settingsFor(call.endpoint, place)
  try {
    if (before !== undefined && container.State.Running)
      throw new MureError('already-exists', `${name} is already attached to network ${place.engineNetwork}`)
    if (before === undefined) await engine.connectNetwork(place.engineNetwork, container.Id, settings)
    else await reconnect(engine, { network: place.engineNetwork, container: container.Id, before, settings })
  } catch (error) {
    await node.detach(place.taskId).catch(() => undefined)
    throw error
  }
  if (before !== undefined) await releasePlaces(node, container, place.networkId, place.taskId)
  return true
}

/** Before a container runs, another connection is a change of the one that it has; it keeps that if it fails. */
async function reconnect(
  engine: ConnectingEngine,
  change: {
    readonly network: string
    readonly container: string
    readonly before: Endpoint
    readonly settings: object
  },
): Promise<void> {
  const { network, container, before, settings } = change
  await engine.disconnectNetwork(network, container)
  try {
    await engine.connectNetwork(network, container, settings)
  } catch (error) {
    const { IPAMConfig, Aliases } = before
    // What it was refused for is what the caller hears.
    await engine.connectNetwork(network, container, { IPAMConfig, Aliases }).catch(() => undefined)
    throw error
  }
}

/** The address of a container that has left a network is given back at once; what is missed here the agent finds. */
export async function releasePlaces(
  node: PlaceKeeper,
  container: ContainerInspect,
  networkId: string,
  except?: string,
): Promise<void> {
  const labelled = Object.entries(container.Config.Labels ?? {})
    .filter(([label, value]) => label.startsWith(attachmentLabel) && value === networkId)
    .map(([label]) => label.slice(attachmentLabel.length))
  const known = node.placeOf(container.Id, networkId)
  for (const taskId of new Set([...labelled, ...(known === undefined ? [] : [known])]))
    if (taskId !== except) await node.detach(taskId).catch(() => undefined)
}

/** Undefined where the engine has no such container. */
export async function inspect(
  engine: Pick<Engine, 'inspectContainer'>,
  container: string,
): Promise<ContainerInspect | undefined> {
  try {
    return await engine.inspectContainer(container)
  } catch (error) {
    if (error instanceof MureError && error.code === 'not-found') return undefined
    throw error
  }
}
