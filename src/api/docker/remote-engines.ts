import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { join } from 'node:path'
import { Engine } from '#engine/engine.ts'
import { isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import type { Control } from '#manager/control/control.ts'
import type { NodeId } from '#model/id.ts'
import type { LocalNode } from '../backend.ts'
import type { EngineFacts } from './engine-facts.ts'
import { Passthrough } from './passthrough.ts'

/** An engine that calls are handed to: this host's own, or that of another node. */
export interface EngineBehind {
  readonly engine: Engine
  readonly passthrough: Passthrough
}

const openTimeoutMs = 5_000
/** Ids of commands in containers are known for as long as one is likely to be started after it was made. */
const mostCommands = 1_000

/**
 * The engines of other nodes, for containers of the cluster's tasks: on a manager, `docker logs`, `exec` and all else
 * that names a container reach it wherever it runs. Each node gets a socket here, behind which a stream to its engine
 * is opened for each connection, so that nothing else need know the difference.
 */
export class RemoteEngines implements AsyncDisposable {
  readonly #node: LocalNode
  readonly #facts: EngineFacts
  readonly #logger: Logger
  readonly #opened = new Map<NodeId, Promise<EngineBehind>>()
  readonly #servers = new Map<NodeId, Server>()
  readonly #connections = new Set<Socket>()
  readonly #commands = new Map<string, NodeId>()
  #folder: Promise<string> | undefined

  readonly #base: string

  constructor(parts: { node: LocalNode; facts: EngineFacts; logger: Logger; folder: string }) {
    this.#base = parts.folder
    this.#node = parts.node
    this.#facts = parts.facts
    this.#logger = parts.logger
  }

  /** The node that a call's container, or command in one, is on; undefined: this host, as far as is known. */
  nodeOf(path: string): NodeId | undefined {
    const [, kind, id] = /^\/(containers|exec)\/([^/]+)/.exec(path) ?? []
    if (id === undefined) return undefined
    if (kind === 'exec') return this.#commands.get(id)
    if (!/^[0-9a-f]{12,64}$/.test(id) && !id.includes('.')) return undefined
    const control = this.#control()
    if (control === undefined) return undefined
    const own = this.#node.info().nodeId
    for (const task of control.view.list('task')) {
      const containerId = task.status.containers[0]?.containerId ?? ''
      if (containerId === '' || task.nodeId === '') continue
      // By its id, or by the name that its container has.
      if (!containerId.startsWith(id) && !id.endsWith(`.${task.meta.id}`)) continue
      return task.nodeId === own ? undefined : task.nodeId
    }
    return undefined
  }

  open(nodeId: NodeId): Promise<EngineBehind> {
    const known = this.#opened.get(nodeId)
    if (known !== undefined) return known
    const opened = this.#open(nodeId)
    this.#opened.set(nodeId, opened)
    opened.catch(() => this.#opened.delete(nodeId))
    return opened
  }

  /** A command was made in a container of this node: its id alone names it from now on. */
  remember(commandId: string, nodeId: NodeId): void {
    this.#commands.set(commandId, nodeId)
    for (const id of this.#commands.keys()) {
      if (this.#commands.size <= mostCommands) break
      this.#commands.delete(id)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.destroy()
    for (const server of this.#servers.values()) {
      const closed = once(server, 'close')
      server.close()
      await closed
    }
    for (const opened of this.#opened.values()) {
      const { passthrough, engine } = await opened
      passthrough[Symbol.dispose]()
      engine[Symbol.dispose]()
    }
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true })
  }

  async #open(nodeId: NodeId): Promise<EngineBehind> {
    this.#folder ??= mkdtemp(join(this.#base, 'nodes-'))
    const path = join(await this.#folder, `${nodeId}.sock`)
    const server = createServer({ allowHalfOpen: true }, (connection) => {
      this.#connections.add(connection)
      connection.once('close', () => this.#connections.delete(connection))
      connection.on('error', () => connection.destroy())
      this.#join(connection, nodeId).catch((error: unknown) => {
        this.#logger.debug('a node was not reached', { node: nodeId, error })
        connection.destroy()
      })
    })
    server.listen(path)
    await once(server, 'listening')
    this.#servers.set(nodeId, server)
    const name = this.#control()?.view.get('node', nodeId)?.status.description?.hostname ?? nodeId
    const unreachable = `node ${name} is not connected to the cluster now`
    const passthrough = new Passthrough(path, this.#facts, this.#logger, unreachable)
    return { engine: new Engine(path), passthrough }
  }

  async #join(connection: Socket, nodeId: NodeId): Promise<void> {
    const control = this.#node.control()
    using wait = startWait({ timeoutMs: openTimeoutMs, what: 'the node to open a stream' })
    const stream = await control.relay(nodeId, { method: 'GET', path: '/', headers: {} }, wait)
    stream.once('error', () => connection.destroy())
    stream.once('close', () => connection.destroy())
    connection.once('close', () => stream.destroy())
    connection.pipe(stream)
    stream.pipe(connection)
  }

  #control(): Control | undefined {
    try {
      return this.#node.control()
    } catch (error) {
      if (isMureError(error, 'unavailable')) return undefined
      throw error
    }
  }
}
