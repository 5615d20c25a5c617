import { mkdir } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { ClusterRecorder } from '#api/docker/events/cluster-recorder.ts'
import { startDockerFacade } from '#api/docker/facade.ts'
import { startDashboard } from '#api/dashboard/server.ts'
import { startMetrics } from '#api/metrics/server.ts'
import { registerMureRoutes } from '#api/mure/routes/index.ts'
import { mureVersion } from '#agent/session/describe.ts'
import { Engine } from '#engine/engine.ts'
import { systemClock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { systemRandom } from '#lib/random.ts'
import type { DaemonConfig } from './config.ts'
import { LocalNodeService } from './local-node.ts'

/** Above what runs in containers, so that a busy host still gives its signs of life. */
const niceness = -15

export interface Mured extends AsyncDisposable {
  /** Reads again what can change while it runs: the certificates of its TCP listeners. */
  reload(): Promise<void>
}

/**
 * One daemon. Start order: engine client, this node's part in its cluster, the API; the stop order is its
 * reverse. Containers run on whatever happens here.
 */
export async function startMured(config: DaemonConfig, logger: Logger): Promise<Mured> {
  raisePriority(logger)
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  await mkdir(config.runDir, { recursive: true, mode: 0o700 })
  await using started = new AsyncDisposableStack()
  const engine = started.use(new Engine(config.engine))
  const node = started.use(
    new LocalNodeService({
      engine,
      dataDir: config.dataDir,
      runDir: config.runDir,
      clock: systemClock,
      random: systemRandom,
      logger,
    }),
  )
  // Before the first request: what this node is must be known by then, though not whether its manager has a quorum.
  await node.resume()
  const hosts = hostsOf(config)
  const facade = started.use(
    await startDockerFacade({
      hosts,
      tls: config.tls,
      engine,
      node,
      events: started.use(new ClusterRecorder(node)),
      runDir: config.runDir,
      logger: logger.child({ part: 'api' }),
      extend: (router) => {
        const { dashboard } = config
        registerMureRoutes(router, {
          node,
          clock: systemClock,
          dashboard:
            dashboard === undefined
              ? undefined
              : { host: dashboard.host, isSecure: dashboard.tls !== undefined },
        })
      },
    }),
  )
  const dashboard =
    config.dashboard === undefined
      ? undefined
      : started.use(
          await startDashboard({
            ...config.dashboard,
            node,
            dockerSocket: ownSocket(hosts),
            clock: systemClock,
            logger: logger.child({ part: 'dashboard' }),
          }),
        )
  if (config.metrics !== undefined)
    started.use(
      await startMetrics({
        host: config.metrics,
        node,
        version: mureVersion,
        logger: logger.child({ part: 'metrics' }),
      }),
    )
  logger.info('mured is up', { hosts: config.hosts, engine: config.engine })
  const owned = started.move()
  return {
    async reload() {
      await facade.reload()
      await dashboard?.listening.reload()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const socketsScheme = 'unix://'

/** The dashboard is a client of Docker's API like others: without a socket for them it gets one of its own. */
function hostsOf({ hosts, dashboard, runDir }: DaemonConfig): readonly string[] {
  if (dashboard === undefined || hosts.some((host) => host.startsWith(socketsScheme))) return hosts
  return [...hosts, `${socketsScheme}${join(runDir, 'dashboard.sock')}`]
}

const ownSocket = (hosts: readonly string[]): string =>
  (hosts.find((host) => host.startsWith(socketsScheme)) ?? '').slice(socketsScheme.length)

function raisePriority(logger: Logger): void {
  try {
    setPriority(niceness)
  } catch (error) {
    logger.warn('the priority could not be raised; under full load signs of life may be late', { error })
  }
}
