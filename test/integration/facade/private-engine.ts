import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec } from '#lib/exec.ts'
import { sleep } from '#lib/wait.ts'

/**
 * A real dockerd in namespaces of its own (network, mount, UTS, PID): nothing of it is seen by the machine but its
 * socket, and killing its first process ends all of it, containers included.
 */
export interface PrivateEngine extends AsyncDisposable {
  readonly folder: string
  readonly socketPath: string
  /** The engine answers nothing any more, and its connections stay open. */
  pause(): void
  resume(): void
  /** A power cut: dockerd and every container at once. */
  kill(): Promise<void>
  start(): Promise<void>
}

const script = (folder: string, socketPath: string): string => `
  mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/docker /var/lib/docker
  mount --bind ${folder}/data /var/lib/docker && mount -t proc proc /proc && ip link set lo up
  exec dockerd -H unix://${socketPath} --log-level warn --ip6tables=false
`

export async function startPrivateEngine(): Promise<PrivateEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'mure-engine-'))
  await mkdir(join(folder, 'data'))
  const socketPath = join(folder, 'engine.sock')
  let process: ChildProcess | undefined

  const firstPid = async (): Promise<number | undefined> => {
    const pid = String(process?.pid)
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
    return text.trim() === '' ? undefined : Number(text.trim().split(' ')[0])
  }
  let daemonPid: number | undefined

  const start = async () => {
    const log = openSync(join(folder, 'dockerd.log'), 'a')
    await rm(socketPath, { force: true })
    // A test that is killed takes its engine with it.
    const inNamespaces = 'unshare --net --mount --uts --pid --fork --kill-child sh -ec'.split(' ')
    process = spawn('setpriv', ['--pdeathsig', 'SIGKILL', ...inNamespaces, script(folder, socketPath)], {
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    for (let attempt = 0; !(await answers(socketPath)); attempt++) {
      if (process.exitCode !== null || attempt > 300)
        throw new Error(`dockerd did not start: ${await readFile(join(folder, 'dockerd.log'), 'utf8')}`)
      await sleep(100)
    }
    daemonPid = await firstPid()
  }
  const signal = (name: NodeJS.Signals) => {
    if (daemonPid !== undefined) globalThis.process.kill(daemonPid, name)
  }
  const kill = async () => {
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return
    const ended = once(process, 'exit')
    signal('SIGKILL')
    await ended
    daemonPid = undefined
  }
  await start()
  return {
    folder,
    socketPath,
    pause: () => {
      signal('SIGSTOP')
    },
    resume: () => {
      signal('SIGCONT')
    },
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill()
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    },
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    socket.once('connect', () => {
      socket.end('GET /_ping HTTP/1.0\r\n\r\n')
    })
    socket.once('data', (data) => {
      resolve(data.includes('200 OK'))
      socket.destroy()
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}

/** `busybox:latest` out of Debian's static busybox: no hub is needed. */
export async function importBusybox(engine: PrivateEngine): Promise<void> {
  const root = join(engine.folder, 'busybox')
  await exec('sh', [
    '-ec',
    `mkdir -p ${root}/bin ${root}/tmp && cp /bin/busybox ${root}/bin/
     for name in $(/bin/busybox --list | grep -vx busybox); do ln -sf busybox ${root}/bin/$name; done
     tar -C ${root} -c . | docker -H unix://${engine.socketPath} import --change 'CMD ["sh"]' - busybox:latest`,
  ])
}
