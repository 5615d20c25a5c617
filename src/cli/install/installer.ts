import { access, cp, mkdir, readdir, rm, rmdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeFileAtomic } from '#lib/atomic-file.ts'
import { errorText, MureError } from '#lib/errors.ts'
import { exec, execResult } from '#lib/exec.ts'
import { outlivingSlice } from '#lib/outliving.ts'
import { sleep } from '#lib/wait.ts'
import { DaemonClient } from '../client.ts'
import { ensurePackages, requireRoot } from '../prerequisites.ts'
import { root } from '../tool.ts'
import { files, places } from './files.ts'

type Say = (text: string) => void

/** Stopping an engine waits for its containers. */
const systemctlTimeoutMs = 180_000
const answerTimeoutMs = 60_000

/**
 * Makes this machine a host: the program and a Node of its own under /usr/local/lib, the engine on a socket of its
 * own, and mured in its place. Running it again brings a newer program in and restarts the daemon alone.
 */
export async function install(say: Say): Promise<void> {
  requireRoot('"mure install"')
  await requireSystemd()
  await ensurePackages(say)
  const isUpgrade = await exists(places.unit)
  say(`copying the program to ${places.program}`)
  if (root !== places.program) await copyProgram()
  for (const { path, content } of files) {
    say(`writing ${path}`)
    await writeFileAtomic(path, content, 0o644)
  }
  await systemctl('daemon-reload')
  if (isUpgrade) await systemctl('restart', 'mure.service')
  else {
    say('moving the engine to its own socket (its containers are stopped and started)')
    await moveEngine()
    say('starting mure.service')
    await systemctl('enable', '--now', 'mure.service')
  }
  await daemonAnswers()
  say('done: "docker info" speaks to Mure now; "docker swarm init" starts a cluster')
}

/** Puts the engine back where it was. What the daemon keeps in its data folder stays, unless `purge`. */
export async function uninstall(options: { purge: boolean; force: boolean }, say: Say): Promise<void> {
  requireRoot('"mure uninstall"')
  await requireSystemd()
  if (!(await exists(places.unit)))
    throw new MureError('precondition', 'Mure is not installed on this machine')
  if (!options.force) await refuseWhileInSwarm()
  say('stopping mure.service')
  await systemctl('disable', '--now', 'mure.service')
  // The ingress's HAProxy goes on without the daemon, but not without Mure. Refused where nothing ever did.
  await execResult('systemctl', ['stop', outlivingSlice], { timeoutMs: systemctlTimeoutMs })
  for (const { path } of [...files].reverse()) {
    say(`removing ${path}`)
    await rm(path, { force: true })
  }
  await rmdir(dirname(places.engineSocketUnit)).catch(() => undefined)
  await systemctl('daemon-reload')
  say('moving the engine back to /var/run/docker.sock (its containers are stopped and started)')
  await moveEngine()
  await rm(places.command, { force: true })
  await rm(places.program, { recursive: true, force: true })
  if (options.purge) await rm(places.data, { recursive: true, force: true })
  say(options.purge ? 'done' : `done; ${places.data} was kept ("--purge" removes it)`)
}

async function requireSystemd(): Promise<void> {
  if (await exists('/run/systemd/system')) return
  throw new MureError(
    'unsupported',
    'this machine was not started by systemd: run "mure daemon" under the init that it has (see "mure daemon --help")',
  )
}

/** The tree as it is here, with its dependencies, and the very Node that runs this. */
async function copyProgram(): Promise<void> {
  await rm(places.program, { recursive: true, force: true })
  await mkdir(places.program, { recursive: true, mode: 0o755 })
  const left = new Set(['.git', '.cache', '.ci', 'coverage'])
  for (const name of await readdir(root))
    if (!left.has(name))
      await cp(join(root, name), join(places.program, name), { recursive: true, verbatimSymlinks: true })
  // Where the launcher looks for its own Node.
  const node = join(places.program, '.cache/node/node_modules', `node-linux-${process.arch}`, 'bin/node')
  await mkdir(dirname(node), { recursive: true })
  await cp(process.execPath, node)
  await rm(places.command, { force: true })
  await symlink(join(places.program, 'mure'), places.command)
}

/** systemd gives a socket another address only while its service does not run. */
async function moveEngine(): Promise<void> {
  await systemctl('stop', 'docker.service', 'docker.socket')
  await systemctl('start', 'docker.socket', 'docker.service')
}

async function daemonAnswers(): Promise<void> {
  const client = new DaemonClient('unix:///var/run/docker.sock')
  const until = performance.now() + answerTimeoutMs
  for (;;) {
    try {
      await client.json({ method: 'GET', path: '/version' })
      return
    } catch (error) {
      if (performance.now() > until)
        throw new MureError(
          'unavailable',
          `mured does not answer: see "journalctl -u mure" (${errorText(error)})`,
          { cause: error },
        )
      await sleep(200)
    }
  }
}

async function refuseWhileInSwarm(): Promise<void> {
  const client = new DaemonClient('unix:///var/run/docker.sock')
  const info = await client
    .json<{ Swarm?: { LocalNodeState?: string } }>({ method: 'GET', path: '/info' })
    .catch(() => undefined)
  if (info?.Swarm?.LocalNodeState === 'inactive' || info === undefined) return
  throw new MureError(
    'precondition',
    'this host is part of a swarm: "docker swarm leave" first, or "mure uninstall --force"',
  )
}

const systemctl = (...args: string[]): Promise<string> =>
  exec('systemctl', args, { timeoutMs: systemctlTimeoutMs })

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
