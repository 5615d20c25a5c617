import { chmod, chown, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, MureError } from '#lib/errors.ts'
import { Mutex } from '#lib/mutex.ts'
import type { FileTarget } from '#model/container.ts'
import { fileKey } from '#model/file-version.ts'
import type { Config, Secret } from '#model/secret.ts'
import type { Task } from '#model/task.ts'
import type { Difference } from '#rpc/messages.ts'
import type { PlaceholderNode } from '#model/placeholders.ts'
import { expandFile } from './file-template.ts'
import { closeMemoryFolder, openMemoryFolder } from './memory-folder.ts'

/** One of the engine's bind mounts. */
export interface BoundFile {
  readonly source: string
  readonly target: string
}

interface WantedFile {
  readonly file: FileTarget
  readonly target: string
  readonly content: Buffer
}

/** Where a secret with a plain name appears, and a config; an absolute name is the place itself. */
const secretsFolder = '/run/secrets'
const configsFolder = '/'

/**
 * Secrets and configs of this host's tasks: known from the assignments, written to memory for each task that uses
 * them, and gone with it. Nothing of them is ever on a disk here.
 */
export class TaskFiles implements AsyncDisposable {
  readonly #folder: string
  readonly #secrets = new Map<string, Secret>()
  readonly #configs = new Map<string, Config>()
  readonly #mutex = new Mutex()
  #isOpen = false

  constructor(folder: string) {
    this.#folder = folder
  }

  assign(secrets: Difference<Secret>, configs: Difference<Config>, isFull: boolean): void {
    take(this.#secrets, secrets, isFull)
    take(this.#configs, configs, isFull)
  }

  /** Writes the task's files and tells where each is to appear. Throws `invalid` for what can't be had. */
  async write(task: Task, node: PlaceholderNode): Promise<BoundFile[]> {
    const wanted = this.#wantedBy(task, node)
    if (wanted.length === 0) return []
    await this.#open()
    const own = join(this.#folder, task.meta.id)
    await mkdir(own, { recursive: true, mode: 0o700 })
    const bound: BoundFile[] = []
    for (const [index, { file, target, content }] of wanted.entries()) {
      const source = join(own, String(index))
      await rm(source, { force: true })
      await writeFile(source, content, { mode: 0o600 })
      await chown(source, numeric(file.uid, 'UID'), numeric(file.gid, 'GID'))
      // After it has its owner, and not as it is made: this process' mask would take bits away.
      await chmod(source, file.mode & 0o777)
      bound.push({ source, target })
    }
    return bound
  }

  /**
   * Gives a task's files their new content. The same files: the container has them bound, each by itself. One write
   * and then the cut, so that a reader sees the old or the new, or for a moment the new with the end of the old.
   */
  async rewrite(task: Task, node: PlaceholderNode): Promise<void> {
    for (const [index, { content }] of this.#wantedBy(task, node).entries()) {
      await using file = await open(join(this.#folder, task.meta.id, String(index)), 'r+')
      await file.write(content, 0, content.length, 0)
      await file.truncate(content.length)
    }
  }

  async remove(taskId: string): Promise<void> {
    await rm(join(this.#folder, taskId), { recursive: true, force: true })
  }

  /** What is left of tasks that this host does not know any more. */
  async keepOnly(taskIds: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => []))
      if (!taskIds.has(name)) await this.remove(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeMemoryFolder(this.#folder)
  }

  #open(): Promise<void> {
    return this.#mutex.run(async () => {
      if (!this.#isOpen) await openMemoryFolder(this.#folder)
      this.#isOpen = true
    })
  }

  #wantedBy(task: Task, node: PlaceholderNode): WantedFile[] {
    const container = task.spec.containers[0]
    const secretNamed = new Map<string, Buffer>()
    const configNamed = new Map<string, Buffer>()
    const files: { file: FileTarget; folder: string; name: string; of: Secret | Config }[] = []
    const { versions = {} } = task.refresh ?? {}
    for (const { secretId, secretName, file, version } of container?.secrets ?? []) {
      const key = fileKey(secretId, versions[secretId] ?? version)
      const secret = known(this.#secrets, key, `secret ${secretName}`)
      const where = file ?? defaultFile(secretName)
      secretNamed.set(where.name, dataOf(secret))
      files.push({ file: where, folder: secretsFolder, name: secretName, of: secret })
    }
    for (const { configId, configName, file, version } of container?.configs ?? []) {
      const key = fileKey(configId, versions[configId] ?? version)
      const config = known(this.#configs, key, `config ${configName}`)
      // One that is used by a credential spec is no file.
      if (file === undefined) continue
      configNamed.set(file.name, dataOf(config))
      files.push({ file, folder: configsFolder, name: configName, of: config })
    }
    return files.map(({ file, folder, name, of }) => ({
      file,
      target: file.name.startsWith('/') ? file.name : join(folder, file.name),
      content: contentOf(name, of, { task, node, secrets: secretNamed, configs: configNamed }),
    }))
  }
}

function contentOf(name: string, of: Secret | Config, context: Parameters<typeof expandFile>[1]): Buffer {
  const { templating } = of.spec
  if (templating === undefined || templating.name === '') return dataOf(of)
  if (templating.name !== 'golang')
    throw new MureError('invalid', `${of.kind} ${name}: unrecognized template type ${templating.name}`)
  try {
    return Buffer.from(expandFile(dataOf(of).toString(), context))
  } catch (error) {
    throw new MureError('invalid', `expanding ${of.kind} ${name} failed: ${errorText(error)}`, {
      cause: error,
    })
  }
}

const dataOf = (object: Secret | Config): Buffer => Buffer.from(object.spec.data, 'base64')

const defaultFile = (name: string): FileTarget => ({ name, uid: '0', gid: '0', mode: 0o444 })

/** As Docker, which takes numbers alone: names mean nothing outside the container. */
function numeric(text: string, what: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new MureError('invalid', `the ${what} "${text}" of a file is not a number`)
}

function known<T>(of: ReadonlyMap<string, T>, key: string, what: string): T {
  const object = of.get(key)
  // It comes with the task; without it, a manager is about to say more.
  if (object === undefined) throw new MureError('unavailable', `${what} has not come yet`)
  return object
}

function take<T extends { readonly meta: { readonly id: string } }>(
  into: Map<string, T>,
  difference: Difference<T>,
  isFull: boolean,
): void {
  if (isFull) into.clear()
  for (const object of difference.put) into.set(object.meta.id, object)
  for (const id of difference.remove) into.delete(id)
}
