import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { MureError } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { registryConfig, registryStorage } from '../host-files.ts'
import { holdLock } from '../lock.ts'
import { cacheDir } from '../record.ts'
import { buildImage } from './build.ts'
import { seedImages } from './catalog.ts'
import { pushImage } from './push.ts'

/**
 * Fills the registry of a new lab with the seed images: from the cache that all labs of this machine share, which is
 * made anew when an image, or a file that it is made of, has changed.
 */
export async function seedRegistry(lab: string, wait: Wait, say: (text: string) => void): Promise<void> {
  const storage = registryStorage(lab)
  // Only copied whole: what is there is either all of it, or what people have pushed since.
  if ((await readdir(storage).catch(() => [])).length > 0) return
  await mkdir(cacheDir, { recursive: true })
  await using _lock = await holdLock('.seed', wait, () => undefined)
  const cached = await cachedStorage(wait, say)
  const fresh = `${storage}.new`
  await rm(fresh, { recursive: true, force: true })
  await cp(cached, fresh, { recursive: true })
  await rm(storage, { recursive: true, force: true })
  await rename(fresh, storage)
}

async function cachedStorage(wait: Wait, say: (text: string) => void): Promise<string> {
  const name = `seed-${await fingerprint()}`
  const entries = await readdir(cacheDir)
  if (entries.includes(name)) return join(cacheDir, name)
  for (const entry of entries)
    if (entry.startsWith('seed-')) await rm(join(cacheDir, entry), { recursive: true })
  say(`making the seed images: ${seedImages.map((image) => image.name).join(', ')} (once on this machine)`)
  const fresh = join(cacheDir, 'seed-new')
  // What one that was killed while it made them has left.
  await rm(fresh, { recursive: true, force: true })
  {
    await using registry = await startRegistry(fresh, wait)
    for (const image of seedImages) await pushImage(registry.socketPath, await buildImage(image, fresh))
  }
  await rename(join(fresh, 'storage'), join(cacheDir, name))
  await rm(fresh, { recursive: true })
  return join(cacheDir, name)
}

/** Of what the images are made: the machine's files, and the code that makes images of them. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256')
  for (const file of (await readdir(import.meta.dirname, { recursive: true })).sort()) {
    const path = join(import.meta.dirname, file)
    if ((await stat(path)).isFile()) hash.update(await readFile(path))
  }
  for (const source of new Set(seedImages.flatMap((image) => image.sources))) {
    const { size, mtimeMs } = await stat(source)
    hash.update(`${source} ${String(size)} ${String(mtimeMs)}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** A registry for the time of filling its storage, at a unix socket: it needs no port and no host. */
async function startRegistry(
  folder: string,
  wait: Wait,
): Promise<AsyncDisposable & { readonly socketPath: string }> {
  await mkdir(folder, { recursive: true })
  const socketPath = join(folder, 'socket')
  const config = join(folder, 'config.yml')
  await writeFile(config, registryConfig(join(folder, 'storage'), { net: 'unix', addr: socketPath }))
  // Should this process be killed, it goes along.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'docker-registry', 'serve', config], {
    stdio: 'ignore',
  })
  await once(child, 'spawn')
  await using started = new AsyncDisposableStack()
  started.defer(() => stop(child))
  wait.note('docker-registry to listen')
  while (!(await listens(socketPath))) {
    if (child.exitCode !== null) throw new MureError('unavailable', 'docker-registry did not start')
    await sleep(20, wait.signal)
  }
  const running = started.move()
  return { socketPath, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
