import { Agent } from '#agent/agent.ts'
import type { AgentOptions } from '#agent/agent.ts'
import type { NodeId } from '#model/id.ts'
import type { ManagerAddress } from '#rpc/messages.ts'
import type { Credentials } from './credentials.ts'
import type { LocalNodeOptions } from './node-core.ts'
import type { NodeState } from './node-state.ts'
import { renewBeforeExpiry } from './renewal.ts'

export interface NodeAgent extends AsyncDisposable {
  readonly agent: Agent
}

/** This node's agent, and the renewal of the certificate that it shows. */
export async function startNodeAgent(
  options: LocalNodeOptions,
  node: {
    readonly state: NodeState
    readonly credentials: Credentials
    /** Known besides those on disk. */
    readonly managers: readonly { readonly nodeId: NodeId; readonly address: string }[]
    readonly callbacks: AgentOptions['callbacks']
    readonly renew: () => Promise<void>
  },
): Promise<NodeAgent> {
  const { state, credentials } = node
  const own: ManagerAddress[] =
    state.role === 'manager' ? [{ nodeId: state.nodeId, address: state.advertiseAddress }] : []
  const agent = await Agent.start({
    ...options,
    identity: () => credentials.identity,
    clusterId: state.clusterId,
    advertiseAddress: state.advertiseAddress,
    listenAddress: state.listenAddress,
    dataPathAddress: state.dataPathAddress,
    managers: [...node.managers, ...own],
    callbacks: node.callbacks,
  })
  const renewal = renewBeforeExpiry(credentials, options, node.renew)
  return {
    agent,
    async [Symbol.asyncDispose]() {
      renewal[Symbol.dispose]()
      await agent[Symbol.asyncDispose]()
    },
  }
}
