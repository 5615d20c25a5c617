import { chmod, chown, lstat, mkdir, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { MureError, systemCode } from '#lib/errors.ts'

/**
 * Makes room for a socket: what a killed daemon left is removed, a daemon that still listens there is not disturbed,
 * and what is no socket is nobody's to remove.
 */
export async function claimSocketPath(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const present = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (present === undefined) return
  if (!present.isSocket()) throw new MureError('precondition', `cannot listen at ${path}: it is not a socket`)
  if (await isLive(path)) throw new MureError('precondition', `another daemon already listens at ${path}`)
  await rm(path, { force: true })
}

/** As Docker's own socket: for root and the group `docker`, if there is one. */
export async function restrictSocket(path: string): Promise<void> {
  await chmod(path, 0o660)
  const groups = await readFile('/etc/group', 'utf8').catch(() => '')
  const id = /^docker:[^:]*:(\d+):/m.exec(groups)?.[1]
  if (id !== undefined) await chown(path, 0, Number(id))
}

/** Only a refused connection proves that nobody listens: a daemon may be too busy to accept. */
function isLive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => {
      resolve(systemCode(error) !== 'ECONNREFUSED')
    })
  })
}
