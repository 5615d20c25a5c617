import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'

/**
 * Which of our networks each of the engine's is. On disk, since an engine that starts its containers again speaks of
 * networks that it made for an earlier process of ours, and answers nobody before they all run.
 */
export class EngineNetworkIds {
  readonly #path: string
  readonly #own: Map<string, string>

  private constructor(path: string, own: Map<string, string>) {
    this.#path = path
    this.#own = own
  }

  static async read(path: string): Promise<EngineNetworkIds> {
    return new EngineNetworkIds(path, entriesOf(await readFileIfThere(path)))
  }

  get(engineId: string): string | undefined {
    return this.#own.get(engineId)
  }

  async put(engineId: string, own: string): Promise<void> {
    if (this.#own.get(engineId) === own) return
    this.#own.set(engineId, own)
    await this.#write()
  }

  async remove(engineId: string): Promise<void> {
    if (this.#own.delete(engineId)) await this.#write()
  }

  #write(): Promise<void> {
    return writeFileAtomic(this.#path, JSON.stringify(Object.fromEntries(this.#own)))
  }
}

/** A file that cannot be read is as none: the engine can be asked later. */
function entriesOf(text: string | undefined): Map<string, string> {
  try {
    const entries = Object.entries(JSON.parse(text ?? '{}') as Record<string, unknown>)
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  } catch {
    return new Map()
  }
}
