import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent } from '#agent/agent.ts'
import type { AgentOptions } from '#agent/agent.ts'
import { systemClock } from '#lib/clock.ts'
import { jsonLogger } from '#lib/logger.ts'
import { systemRandom } from '#lib/random.ts'
import type { ContainerSpec } from '#model/container.ts'
import type { NodeId, ServiceId } from '#model/id.ts'
import { aTask } from '#model/testing/builders.ts'
import type { Task } from '#model/task.ts'
import { anIdentity, aRoot } from '#security/testing/identities.ts'
import type { Host } from './host.ts'
import { ManagerEnd } from './manager-end.ts'

export const root = await aRoot()
export const manager = await anIdentity(root, 'manager')
export const worker = await anIdentity(root, 'worker')

/** A task of this node that runs a shell's line. */
export function shellTask(
  line: string,
  options: { container?: Partial<ContainerSpec> } & Parameters<typeof aTask>[0] = {},
): Task {
  const { container, ...rest } = options
  return aTask({
    nodeId: worker.nodeId,
    serviceId: 'service1' as ServiceId,
    state: 'assigned',
    spec: {
      containers: [
        { name: '', image: 'busybox', args: ['sh', '-c', line], stopGracePeriodMs: 1_000, ...container },
      ],
    },
    ...rest,
  })
}

/** Runs until it is told to stop, and then stops at once. */
export const obedient = 'trap "exit 0" TERM; while :; do sleep 0.1; done'

/** What the agent logs, when a person wants to see it. */
export const logger = jsonLogger(
  (line) => {
    process.stderr.write(line)
  },
  { level: process.env['MURE_TEST_LOG'] === undefined ? 'error' : 'debug' },
)

export async function agentOptions(host: Host, managers: readonly ManagerEnd[]): Promise<AgentOptions> {
  return {
    engine: host.engine,
    identity: () => worker,
    clusterId: 'cluster',
    advertiseAddress: '127.0.0.1:2377',
    listenAddress: '0.0.0.0:2377',
    dataPathAddress: '',
    managers: managers.map(({ address }) => ({ nodeId: '' as NodeId, address })),
    dataDir: await mkdtemp(join(host.folder, 'agent-')),
    // The engine's network is not the one that this process runs in.
    hasNetworks: false,
    runDir: await mkdtemp(join(host.folder, 'run-')),
    clock: systemClock,
    random: systemRandom,
    logger,
    callbacks: {
      roleWanted: () => undefined,
      release: () => Promise.resolve(),
      trustChanged: () => undefined,
      removed: () => undefined,
      expired: () => undefined,
    },
  }
}

export interface Running extends AsyncDisposable {
  readonly agent: Agent
  readonly manager: ManagerEnd
}

/** An agent on the host with one manager. */
export async function startAgent(host: Host, change: Partial<AgentOptions> = {}): Promise<Running> {
  const end = await ManagerEnd.start(manager)
  const agent = await Agent.start({ ...(await agentOptions(host, [end])), ...change })
  return {
    agent,
    manager: end,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]()
      await end[Symbol.asyncDispose]()
    },
  }
}
