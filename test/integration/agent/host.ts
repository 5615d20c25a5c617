import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine } from '#engine/engine.ts'
import { exec } from '#lib/exec.ts'
import { sleep } from '#lib/wait.ts'

/**
 * A host with namespaces of its own (network, mount, UTS, PID), in which a shell keeps a real dockerd alive: killing
 * dockerd leaves its containers to the next one, as on a real host.
 */
export interface Host extends AsyncDisposable {
  readonly folder: string
  readonly socketPath: string
  readonly engine: Engine
  docker(...args: string[]): Promise<string>
  /** kill -9 of dockerd alone. Another starts after `mayStart`. */
  killEngine(): Promise<void>
  mayStart(): Promise<void>
  /** dockerd stands still: its connections stay open and nothing is answered. */
  freezeEngine(): Promise<void>
  thawEngine(): Promise<void>
  /** A program in the host's network. */
  spawn(command: string, args: readonly string[]): ChildProcess
}

const script = (folder: string): string => `
  mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/docker
  mount --bind ${folder}/data /var/lib/docker && mount -t proc proc /proc && ip link set lo up
  while :; do
    while [ -e ${folder}/hold ]; do sleep 0.1; done
    rm -f /var/run/docker.pid ${folder}/engine.sock
    dockerd -H unix://${folder}/engine.sock --log-level warn --ip6tables=false &
    wait $! || true
  done
`

export async function startHost(): Promise<Host> {
  const folder = await mkdtemp(join(tmpdir(), 'mure-agent-'))
  await mkdir(join(folder, 'data'))
  const socketPath = join(folder, 'engine.sock')
  const log = openSync(join(folder, 'dockerd.log'), 'a')
  const outer = spawn(
    'unshare',
    ['--net', '--mount', '--uts', '--pid', '--fork', '--kill-child', 'sh', '-c', script(folder)],
    { stdio: ['ignore', log, log] },
  )
  closeSync(log)
  const engine = new Engine(socketPath)
  const [initPid] = await until(() => childrenOf(outer.pid ?? 0))
  const dockerdPid = async (): Promise<number> => {
    for (const pid of await childrenOf(initPid))
      if ((await readFile(`/proc/${String(pid)}/comm`, 'utf8').catch(() => '')).trim() === 'dockerd')
        return pid
    throw new Error('dockerd is not there')
  }
  await until(() => engine.ping({ timeoutMs: 500 }).then(() => true))
  const docker = async (...args: string[]) =>
    (await exec('docker', ['-H', `unix://${socketPath}`, ...args])).trim()
  await importBusybox(folder, socketPath)
  const hold = join(folder, 'hold')
  return {
    folder,
    socketPath,
    engine,
    docker,
    async killEngine() {
      await writeFile(hold, '')
      process.kill(await dockerdPid(), 'SIGKILL')
    },
    mayStart: () => rm(hold, { force: true }),
    async freezeEngine() {
      process.kill(await dockerdPid(), 'SIGSTOP')
    },
    async thawEngine() {
      process.kill(await dockerdPid(), 'SIGCONT')
    },
    spawn: (command, args) =>
      spawn('nsenter', [`--net=/proc/${String(initPid)}/ns/net`, command, ...args], { stdio: 'ignore' }),
    async [Symbol.asyncDispose]() {
      engine[Symbol.dispose]()
      if (outer.exitCode === null && outer.signalCode === null) {
        const ended = once(outer, 'exit')
        // The host's first process takes all others with it, containers included.
        process.kill(initPid, 'SIGKILL')
        await ended
      }
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
    },
  }
}

/** `busybox:latest` out of Debian's static busybox: no hub is needed. */
async function importBusybox(folder: string, socketPath: string): Promise<void> {
  const root = join(folder, 'busybox')
  await exec('sh', [
    '-ec',
    `mkdir -p ${root}/bin ${root}/tmp && cp /bin/busybox ${root}/bin/
     for name in $(/bin/busybox --list | grep -vx busybox); do ln -sf busybox ${root}/bin/$name; done
     tar -C ${root} -c . | docker -H unix://${socketPath} import --change 'CMD ["sh"]' - busybox:latest`,
  ])
}

/** The processes that a process has started, none while there are none. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8').catch(() => '')
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number)
}

type Found<T> = T extends readonly (infer E)[] ? [E, ...E[]] : Exclude<T, undefined | false>

/** Asks again until there is something. What is thrown counts as nothing. */
export async function until<T>(ask: () => T | Promise<T>, timeoutMs = 30_000): Promise<Found<T>> {
  const end = performance.now() + timeoutMs
  for (let failure: unknown; ; await sleep(25)) {
    try {
      const found = await ask()
      const isThere = Array.isArray(found) ? found.length > 0 : found !== undefined && found !== false
      if (isThere) return found as Found<T>
    } catch (error) {
      failure = error
    }
    if (performance.now() > end)
      throw new Error(`it did not come within ${String(timeoutMs)} ms: ${ask.toString()}`, { cause: failure })
  }
}
