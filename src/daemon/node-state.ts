import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'
import { MureError } from '#lib/errors.ts'
import type { ClusterId, NodeId } from '#model/id.ts'
import type { NodeRole } from '#model/node.ts'

/** What a node remembers of its cluster over a restart, beside its keys. */
export interface NodeState {
  readonly nodeId: NodeId
  readonly clusterId: ClusterId
  readonly role: NodeRole
  /** host:port of the cluster RPC. */
  readonly listenAddress: string
  readonly advertiseAddress: string
  /** The interface that had the advertised address; absent where none had, as behind an address translation. */
  readonly advertiseInterface?: string
  /** '' = the same as the advertised one. */
  readonly dataPathAddress: string
  /** Present while the node is a manager: where its etcd member hears its peers. */
  readonly peerUrl?: string
}

/** One small file, replaced whole. Its absence means "not part of a cluster". */
export class NodeStateFile {
  readonly #path: string

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'node.json')
  }

  async read(): Promise<NodeState | undefined> {
    const text = await readFileIfThere(this.#path)
    if (text === undefined) return undefined
    try {
      return JSON.parse(text) as NodeState
    } catch (error) {
      throw new MureError(
        'internal',
        `${this.#path} is damaged: ${String(error)}. Restore it, or remove it and join again.`,
        {
          cause: error,
        },
      )
    }
  }

  write(state: NodeState): Promise<void> {
    return writeFileAtomic(this.#path, `${JSON.stringify(state, null, 2)}\n`)
  }

  remove(): Promise<void> {
    return rm(this.#path, { force: true })
  }
}
