import { interfaceOf, joinHostPort, movedAddress, splitHostPort } from './addresses.ts'
import type { Interfaces } from './addresses.ts'
import type { NodeState } from './node-state.ts'

/** The state with the interface that its address is on, by which the address is found again when it has changed. */
export function withInterface(state: NodeState, interfaces: Interfaces): NodeState {
  const { advertiseInterface: before, ...rest } = state
  const advertiseInterface = interfaceOf(state.advertiseAddress, interfaces) ?? before
  return advertiseInterface === undefined ? rest : { ...rest, advertiseInterface }
}

/**
 * Where this host is reached now, if its interface has got another address since it was last up; undefined where
 * nothing has changed. All addresses of the state that were the old one follow.
 */
export function movedState(state: NodeState, interfaces: Interfaces): NodeState | undefined {
  const { advertiseAddress, advertiseInterface, listenAddress, dataPathAddress, peerUrl } = state
  if (advertiseInterface === undefined) return undefined
  const moved = movedAddress(advertiseAddress, advertiseInterface, interfaces)
  const before = splitHostPort(advertiseAddress, 0)?.host
  const now = moved === undefined ? undefined : splitHostPort(moved, 0)?.host
  if (moved === undefined || now === undefined || before === undefined) return undefined
  const listen = splitHostPort(listenAddress, 0)
  return {
    ...state,
    advertiseAddress: moved,
    listenAddress: listen?.host === before ? joinHostPort({ host: now, port: listen.port }) : listenAddress,
    dataPathAddress: dataPathAddress === before ? now : dataPathAddress,
    ...(peerUrl === undefined
      ? {}
      : { peerUrl: `https://${joinHostPort({ host: now, port: Number(new URL(peerUrl).port) })}` }),
  }
}
