import { rm } from 'node:fs/promises'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'
import { MureError } from '#lib/errors.ts'
import { open, seal } from './seal.ts'
import type { KeyRing } from './seal.ts'

/** What a node keeps of its own: never in the store, never in a log. */
export interface NodeKeys {
  /** PEM. */
  readonly key: string
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
 * can be read after a reboot until somebody unlocks.
 */
export class KeyFile {
  readonly #path: string
  #unlockKey: Buffer | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Undefined: no such file. `precondition`: it is locked and the key was not given, or is wrong. */
  async read(unlockKey?: Buffer): Promise<NodeKeys | undefined> {
    const text = await readFileIfThere(this.#path)
    if (text === undefined) return undefined
    const content = JSON.parse(text) as { sealed?: string; keys?: NodeKeys }
    if (content.keys !== undefined) {
      this.#unlockKey = undefined
      return content.keys
    }
    if (content.sealed === undefined) throw new MureError('internal', `${this.#path} is damaged`)
    if (unlockKey === undefined)
      throw new MureError('precondition', 'the node is locked', { details: { locked: true } })
    const plain = open(ring(unlockKey), Buffer.from(content.sealed, 'base64'), context)
    this.#unlockKey = unlockKey
    return JSON.parse(plain.toString()) as NodeKeys
  }

  /** Keeps being locked (or not) as it was; `lock` changes that. */
  async write(keys: NodeKeys): Promise<void> {
    const content =
      this.#unlockKey === undefined
        ? { keys }
        : {
            sealed: seal(ring(this.#unlockKey), Buffer.from(JSON.stringify(keys)), context).toString(
              'base64',
            ),
          }
    await writeFileAtomic(this.#path, `${JSON.stringify(content, null, 2)}\n`)
  }

  /** Removes the file, and with it the lock. */
  async forget(): Promise<void> {
    this.#unlockKey = undefined
    await rm(this.#path, { force: true })
  }

  /** From now on sealed under this key; undefined: plain. */
  async lock(keys: NodeKeys, unlockKey: Buffer | undefined): Promise<void> {
    this.#unlockKey = unlockKey
    await this.write(keys)
  }
}

const ring = (key: Buffer): KeyRing => ({ keys: [{ id: 0, key }] })
