import type { NetworkInterfaceInfo } from 'node:os'
import type { JoinRequest } from '#api/backend.ts'
import type { Wait } from '#lib/wait.ts'
import type { ClusterId } from '#model/id.ts'
import {
  interfaceOf,
  isLoopback,
  joinHostPort,
  ownAddressToward,
  resolveAdvertiseAddress,
  resolveDataPathAddress,
  resolveListenAddress,
  splitHostPort,
} from './addresses.ts'
import type { HostAndPort, Interfaces } from './addresses.ts'
import { requestAdmission } from './credentials.ts'
import type { Admission } from './credentials.ts'
import type { NodeState } from './node-state.ts'

/** `docker swarm join`, as far as asking goes: addresses are resolved at once, so that wrong ones reach nobody. */
export function prepareJoin(
  request: JoinRequest,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
): (wait: Wait) => Promise<{ admission: Admission; state: NodeState }> {
  const listen = resolveListenAddress(request.listenAddress, interfaces)
  const addresses = request.remoteAddresses.map((text) => {
    const split = splitHostPort(text, 2377)
    return split === undefined ? text : joinHostPort(split)
  })
  const dataPathAddress = resolveDataPathAddress(request.dataPathAddress, interfaces)
  const advertise =
    request.advertiseAddress === ''
      ? ''
      : joinHostPort(resolveAdvertiseAddress(request.advertiseAddress, listen, interfaces))
  return async (wait) => {
    const { joinToken: token, availability } = request
    const admission = await requestAdmission({ addresses, token, availability }, wait)
    const state: NodeState = {
      nodeId: admission.nodeId,
      clusterId: admission.clusterId as ClusterId,
      role: 'worker',
      listenAddress: joinHostPort(listen),
      advertiseAddress: advertise === '' ? await ownAddress(admission, listen, interfaces) : advertise,
      dataPathAddress,
    }
    return { admission, state }
  }
}

/**
 * A manager that is reached over the loopback is on this host, and others reach it at another address: so they do us,
 * unless there is none.
 */
async function ownAddress(
  { address, managers }: Admission,
  listen: HostAndPort,
  interfaces: Interfaces,
): Promise<string> {
  const own = await ownAddressToward(address, listen)
  if (!isLoopback(own)) return own
  const advertised = managers.find((manager) => interfaceOf(manager, interfaces) !== undefined)
  return advertised === undefined ? own : ownAddressToward(advertised, listen)
}
