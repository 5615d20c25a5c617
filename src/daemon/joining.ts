import type { NetworkInterfaceInfo } from 'node:os'
import type { JoinRequest } from '#api/backend.ts'
import type { Wait } from '#lib/wait.ts'
import type { ClusterId } from '#model/id.ts'
import {
  joinHostPort,
  ownAddressToward,
  resolveAdvertiseAddress,
  resolveDataPathAddress,
  resolveListenAddress,
  splitHostPort,
} from './addresses.ts'
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
      advertiseAddress: advertise === '' ? await ownAddressToward(admission.address, listen) : advertise,
      dataPathAddress,
    }
    return { admission, state }
  }
}
