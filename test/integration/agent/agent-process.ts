// One agent as a process of its own, so that a test can kill it. Argument: JSON of AgentProcessOptions.
import { Agent } from '#agent/agent.ts'
import { Engine } from '#engine/engine.ts'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import type { ManagerAddress } from '#rpc/messages.ts'
import type { Identity } from '#rpc/transport.ts'
import { logger } from './fixture.ts'

export interface AgentProcessOptions {
  readonly socketPath: string
  readonly identity: Identity
  readonly managers: readonly ManagerAddress[]
  readonly dataDir: string
}

const { socketPath, identity, managers, dataDir } = JSON.parse(process.argv[2] ?? '') as AgentProcessOptions
await Agent.start({
  engine: new Engine(socketPath),
  identity: () => identity,
  clusterId: 'cluster',
  advertiseAddress: '127.0.0.1:2377',
  listenAddress: '0.0.0.0:2377',
  dataPathAddress: '',
  managers,
  dataDir,
  runDir: dataDir,
  hasNetworks: false,
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
})
