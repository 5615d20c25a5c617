import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { LocalNode } from '#api/backend.ts'
import type { ClusterEvents } from '#api/docker/events/source.ts'
import { startDockerFacade } from '#api/docker/facade.ts'
import type { DockerFacade } from '#api/docker/facade.ts'
import type { ListenTls } from '#api/http/listen.ts'
import { Engine } from '#engine/engine.ts'
import { MureError } from '#lib/errors.ts'
import { execResult } from '#lib/exec.ts'
import type { ExecResult } from '#lib/exec.ts'
import { silentLogger } from '#lib/logger.ts'
import { importBusybox, startPrivateEngine } from './private-engine.ts'
import type { PrivateEngine } from './private-engine.ts'

/** A host that belongs to no cluster. */
const outsider: LocalNode = {
  info: () => ({
    state: 'inactive',
    nodeId: '',
    nodeAddress: '',
    isManager: false,
    isStale: false,
    error: '',
    remoteManagers: [],
  }),
  settled: () => Promise.resolve(),
  init: refuse,
  join: refuse,
  leave: refuse,
  unlock: refuse,
  attach: () => Promise.resolve(undefined),
  detach: refuse,
  placeOf: () => undefined,
  usage: () => undefined,
  backup: refuse,
  restore: refuse,
  control: () => {
    throw new MureError('unavailable', 'This node is not a swarm manager.')
  },
  followView: (listener) => {
    listener(undefined)
    return { [Symbol.dispose]: () => undefined }
  },
}

async function refuse(): Promise<never> {
  throw new MureError('unavailable', 'This node is not part of a swarm')
}

/** A facade before a real engine with a busybox image, and the real clients. */
export class FacadeHost implements AsyncDisposable {
  readonly engine: PrivateEngine
  readonly client: Engine
  readonly facade: DockerFacade
  readonly socketPath: string
  readonly #stack: AsyncDisposableStack

  constructor(parts: {
    engine: PrivateEngine
    client: Engine
    facade: DockerFacade
    stack: AsyncDisposableStack
  }) {
    this.engine = parts.engine
    this.client = parts.client
    this.facade = parts.facade
    this.#stack = parts.stack
    this.socketPath = facadeSocket(parts.engine)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }

  /** The newest CLI against the facade; its output, trimmed, or an error with what it said. */
  async docker(...args: string[]): Promise<string> {
    const result = await this.run('docker', args)
    if (result.exitCode !== 0) throw new Error(`docker ${args.join(' ')}: ${result.stderr}${result.stdout}`)
    return result.stdout.trim()
  }

  run(
    program: string,
    args: readonly string[],
    options: { input?: string | Buffer; env?: NodeJS.ProcessEnv; cwd?: string; timeoutMs?: number } = {},
  ): Promise<ExecResult> {
    return execResult(program, args, { ...options, env: { ...this.env, ...options.env } })
  }

  /** A client that goes on until it is killed. */
  start(program: string, args: readonly string[]) {
    return spawn(program, args, { env: this.env, stdio: ['pipe', 'pipe', 'pipe'] })
  }

  get env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      DOCKER_HOST: `unix://${this.socketPath}`,
      DOCKER_CONFIG: join(this.engine.folder, 'cli'),
    }
  }
}

const facadeSocket = (engine: PrivateEngine): string => join(engine.folder, 'docker.sock')

export async function startFacadeHost(
  options: { tcp?: string; tls?: ListenTls; events?: ClusterEvents } = {},
): Promise<FacadeHost> {
  await using stack = new AsyncDisposableStack()
  const engine = stack.use(await startPrivateEngine())
  await importBusybox(engine)
  const client = stack.use(new Engine(engine.socketPath, { liveness: { everyMs: 200, timeoutMs: 500 } }))
  const facade = stack.use(
    await startDockerFacade({
      hosts: [`unix://${facadeSocket(engine)}`, ...(options.tcp === undefined ? [] : [options.tcp])],
      tls: options.tls,
      engine: client,
      node: outsider,
      ...(options.events === undefined ? {} : { events: options.events }),
      logger: silentLogger,
    }),
  )
  return new FacadeHost({ engine, client, facade, stack: stack.move() })
}
