import type { Engine } from '#engine/engine.ts'
import type { Logger } from '#lib/logger.ts'
import { listen } from '../http/listen.ts'
import type { Listening, ListenTls } from '../http/listen.ts'
import type { Router } from '../http/router.ts'
import type { ApiRequest } from '../http/request.ts'
import type { ApiResponse } from '../http/response.ts'
import type { LocalNode } from '../backend.ts'
import { Dispatch } from './dispatch.ts'
import type { EngineFacts } from './engine-facts.ts'
import type { ClusterEvents } from './events/source.ts'
import type { Passthrough } from './passthrough.ts'
import type { EngineBehind } from './remote-engines.ts'

export interface FacadeOptions {
  /** `unix:///path` or `tcp://address:port`. */
  readonly hosts: readonly string[]
  /** For the TCP hosts; those beyond loopback need it, with an authority. */
  readonly tls: ListenTls | undefined
  readonly engine: Engine
  readonly node: LocalNode
  /** What happens in the cluster, for `docker events`. Default: nothing beside the engine's own events. */
  readonly events?: ClusterEvents
  readonly logger: Logger
  /** For the sockets behind which other nodes' engines are. Default: the system's folder for temporary files. */
  readonly runDir?: string
  /** Paths beside Docker's own. */
  readonly extend?: (router: Router) => void
}

/** What the routes stand on. */
export interface FacadeParts {
  readonly node: LocalNode
  readonly engine: Engine
  readonly facts: EngineFacts
  readonly passthrough: Passthrough
  readonly events: ClusterEvents | undefined
  readonly logger: Logger
  /** The newest API version that is served. */
  newestVersion(): string
  /**
   * Hands a request on to the engine, as if no route had taken it. `body`: its JSON, if the route has read it; a
   * route may change it on the way.
   */
  forward(request: ApiRequest, body?: unknown): Promise<ApiResponse>
  /** The engine that a request is for: of a container, that of its host. */
  behind(request: ApiRequest): Promise<EngineBehind>
}

export interface DockerFacade extends AsyncDisposable {
  readonly listening: readonly Listening[]
  /** Reads the TLS certificates again. */
  reload(): Promise<void>
}

/** The Docker Engine API at the hosts given: the cluster's part answered here, all the rest by the local engine. */
export async function startDockerFacade(options: FacadeOptions): Promise<DockerFacade> {
  const dispatch = new Dispatch(options)
  await dispatch.learnEngine()
  await using started = new AsyncDisposableStack()
  started.use(dispatch)
  const listening: Listening[] = []
  for (const host of options.hosts) listening.push(started.use(await listen(host, dispatch, options.tls)))
  const owned = started.move()
  return {
    listening,
    async reload() {
      for (const one of listening) await one.reload()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
