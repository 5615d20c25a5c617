import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { connectRpc } from '#rpc/client.ts'
import type { ConnectOptions } from '#rpc/client.ts'
import { startRpcServer } from '#rpc/server.ts'
import type { RpcServerOptions } from '#rpc/server.ts'
import type { RpcClient, RpcServer } from '#rpc/transport.ts'
import { anIdentity, aRoot } from '#security/testing/identities.ts'

/** One cluster: its root, a manager's and a worker's identity. */
export const root = await aRoot()
export const manager = await anIdentity(root, 'manager')
export const worker = await anIdentity(root, 'worker')

export interface Listening extends AsyncDisposable {
  readonly server: RpcServer
  readonly address: string
}

export async function listen(
  register: (server: RpcServer) => void,
  options: Partial<RpcServerOptions> = {},
): Promise<Listening> {
  const host = options.host ?? '127.0.0.1'
  const server = await startRpcServer({
    host,
    port: 0,
    identity: manager,
    clusterId: 'cluster',
    clock: systemClock,
    logger: silentLogger,
    ...options,
  })
  register(server)
  return {
    server,
    address: `${host}:${String(server.port)}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export interface Connected extends AsyncDisposable {
  readonly client: RpcClient
  readonly wait: Wait
}

/** As the worker, unless the options say otherwise. */
export async function connect(
  address: string,
  options: Partial<ConnectOptions> = {},
  timeoutMs = 10_000,
): Promise<Connected> {
  const wait = startWait({ timeoutMs })
  try {
    const client = await connectRpc(address, { identity: worker, trust: root.certificate, ...options }, wait)
    return {
      client,
      wait,
      async [Symbol.asyncDispose]() {
        wait[Symbol.dispose]()
        await client[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    wait[Symbol.dispose]()
    throw error
  }
}

/** As a joiner: no certificate of its own. */
export async function connectStranger(address: string): Promise<Connected> {
  const wait = startWait({ timeoutMs: 10_000 })
  const client = await connectRpc(address, { trust: root.certificate }, wait)
  return {
    client,
    wait,
    async [Symbol.asyncDispose]() {
      wait[Symbol.dispose]()
      await client[Symbol.asyncDispose]()
    },
  }
}
