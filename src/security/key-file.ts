import { rm } from 'node:fs/promises'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'
import { isMureError, MureError } from '#lib/errors.ts'
import { Mutex } from '#lib/mutex.ts'
import { open, seal } from './seal.ts'
import type { KeyRing } from './seal.ts'

/** What a node keeps of its own: never in the store, never in a log. */
export interface NodeKeys {
  /** PEM. */
  readonly key: string
  /** PEM; the node's id, role and cluster are in it. Authorities that vouch for it may follow. */
  readonly certificate: string
  /** Trusted roots, PEM. */
  readonly trust: string
  /** Managers only: how the etcd member proves itself to its peers. */
  readonly storePeer?: { readonly certificate: string; readonly key: string }
  /** Managers only: what the store's values are sealed with, base64. */
  readonly dataKeys?: readonly { readonly id: number; readonly key: string }[]
}

const context = 'mure node keys'

/**
 * The node's key file. Plain and private to root, or sealed under the cluster's unlock key: then nothing of it
 * can be read after a reboot until somebody unlocks. Replaced whole, one writer after the other: a power cut leaves
 * either the old content or the new.
 */
export class KeyFile {
  readonly #path: string
  readonly #mutex = new Mutex()
  #unlockKey: Buffer | undefined

  constructor(path: string) {
    this.#path = path
  }

  /**
   * Undefined: no such file. `precondition`: it is locked and the key was not given (`details.locked`), or is not the
   * one that it was locked with (`details.wrongKey`). `internal`: it is damaged.
   */
  read(unlockKey?: Buffer): Promise<NodeKeys | undefined> {
    return this.#mutex.run(async () => {
      const text = await readFileIfThere(this.#path)
      if (text === undefined) return undefined
      const content = this.#parse(text) as { sealed?: unknown; keys?: NodeKeys }
      if (content.keys !== undefined) {
        this.#unlockKey = undefined
        return content.keys
      }
      if (typeof content.sealed !== 'string') throw this.#damaged()
      if (unlockKey === undefined)
        throw new MureError('precondition', 'the node is locked', { details: { locked: true } })
      const plain = unlock(unlockKey, content.sealed)
      this.#unlockKey = unlockKey
      return this.#parse(plain) as NodeKeys
    })
  }

  /** Keeps being locked (or not) as it was; `lock` changes that. */
  write(keys: NodeKeys): Promise<void> {
    return this.#mutex.run(() => this.#write(keys, this.#unlockKey))
  }

  /** From now on sealed under this key; undefined: plain. */
  lock(keys: NodeKeys, unlockKey: Buffer | undefined): Promise<void> {
    return this.#mutex.run(async () => {
      await this.#write(keys, unlockKey)
      this.#unlockKey = unlockKey
    })
  }

  /** Removes the file, and with it the lock. */
  forget(): Promise<void> {
    return this.#mutex.run(async () => {
      await rm(this.#path, { force: true })
      this.#unlockKey = undefined
    })
  }

  async #write(keys: NodeKeys, unlockKey: Buffer | undefined): Promise<void> {
    const content =
      unlockKey === undefined
        ? { keys }
        : { sealed: seal(ring(unlockKey), Buffer.from(JSON.stringify(keys)), context).toString('base64') }
    await writeFileAtomic(this.#path, `${JSON.stringify(content, null, 2)}\n`)
  }

  #parse(text: string): object {
    try {
      const value: unknown = JSON.parse(text)
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
    } catch (error) {
      throw this.#damaged(error)
    }
    throw this.#damaged()
  }

  #damaged(cause?: unknown): MureError {
    return new MureError(
      'internal',
      `${this.#path} is damaged: restore it, or leave the swarm and join again`,
      { cause },
    )
  }
}

function unlock(unlockKey: Buffer, sealed: string): string {
  try {
    return open(ring(unlockKey), Buffer.from(sealed, 'base64'), context).toString()
  } catch (error) {
    if (!isMureError(error, 'precondition')) throw error
    throw new MureError('precondition', 'swarm could not be unlocked: invalid key provided', {
      details: { wrongKey: true },
      cause: error,
    })
  }
}

const ring = (key: Buffer): KeyRing => ({ keys: [{ id: 0, key }] })
