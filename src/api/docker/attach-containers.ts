import type { LocalNode } from '../backend.ts'
import type { Wait } from '#lib/wait.ts'
import { asObject, asText } from './adapt/json.ts'
import type { JsonObject } from './adapt/json.ts'

/** The label by which the agent knows which place on a network a container has. */
const attachmentLabel = 'mure.attachment.'

/** Modes and networks that are the engine's own. */
const enginesOwn = new Set(['', 'default', 'bridge', 'host', 'none', 'nat'])

/**
 * A plain container that is to be on a network of the cluster gets a place there: its address, and the name server
 * that knows the network's names. Changes `body`, and gives how the places are taken back if nothing comes of it.
 */
export async function attachToClusterNetworks(
  body: JsonObject,
  containerName: string,
  node: LocalNode,
  wait: Wait,
): Promise<() => Promise<void>> {
  const hostConfig = asObject(body['HostConfig'])
  const endpoints = asObject(asObject(body['NetworkingConfig'])?.['EndpointsConfig']) ?? {}
  const mode = asText(hostConfig?.['NetworkMode'])
  const names = new Set([mode, ...Object.keys(endpoints)])
  const taken: string[] = []
  const giveBack = async () => {
    for (const taskId of taken) await node.detach(taskId).catch(() => undefined)
  }
  try {
    for (const name of names) {
      if (enginesOwn.has(name) || name.startsWith('container:')) continue
      const place = await node.attach(name, containerName, wait)
      if (place === undefined) continue
      taken.push(place.taskId)
      const endpoint = asObject(endpoints[name]) ?? {}
      const { [name]: _, ...others } = endpoints
      body['NetworkingConfig'] = {
        EndpointsConfig: {
          ...others,
          [place.engineNetwork]: { ...endpoint, IPAMConfig: { IPv4Address: place.address } },
        },
      }
      if (hostConfig !== undefined) {
        if (mode === name) hostConfig['NetworkMode'] = place.engineNetwork
        const given = hostConfig['Dns']
        if (!Array.isArray(given) || given.length === 0) hostConfig['Dns'] = [place.nameserver]
      }
      body['Labels'] = { ...asObject(body['Labels']), [`${attachmentLabel}${place.taskId}`]: name }
    }
  } catch (error) {
    await giveBack()
    throw error
  }
  return giveBack
}
