import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'
import { MureError } from '#lib/errors.ts'
import { execResult } from '#lib/exec.ts'
import type { Logger } from '#lib/logger.ts'
import { outliving } from '#lib/outliving.ts'
import { sleep } from '#lib/wait.ts'
import { wordsOf } from './render/words.ts'
import { askHaproxy } from './runtime-socket.ts'

export interface HaproxyOptions {
  /** Of this host's ingress; processes and sockets are noted in it. */
  readonly folder: string
  readonly accessLogFile: string
  readonly logger: Logger
  /** The process that serves has ended, and nobody asked it to. */
  readonly ended: (lastWords: string) => void
}

interface Serving {
  readonly pid: number
  readonly socket: string
}

const checkTimeoutMs = 20_000
const startTimeoutMs = 20_000
const stopTimeoutMs = 2_000

/**
 * HAProxy's processes on this host. One serves; a new configuration starts another, which takes over the listening
 * sockets of the one before and then lets it finish what it has begun. A process outlives mured: one that is found
 * at the start is taken over in the same way, so that no restart of ours costs a connection.
 */
export class Haproxy {
  readonly #options: HaproxyOptions
  readonly #note: string
  #serving: Serving | undefined

  constructor(options: HaproxyOptions) {
    this.#options = options
    this.#note = join(options.folder, 'serving.json')
  }

  get isServing(): boolean {
    return this.#serving !== undefined
  }

  /** What an earlier life of this daemon has left running. */
  async adopt(): Promise<void> {
    const note = JSON.parse((await readFileIfThere(this.#note)) ?? 'null') as Serving | null
    if (note !== null && (await isHaproxy(note.pid, this.#options.folder))) this.#serving = note
  }

  /** Why HAProxy would refuse this file; undefined if it would not. */
  async check(file: string): Promise<string | undefined> {
    const args = ['-c', '-f', file]
    const { exitCode, stdout, stderr } = await execResult('haproxy', args, { timeoutMs: checkTimeoutMs })
    return exitCode === 0 ? undefined : wordsOf(`${stdout}\n${stderr}`)
  }

  /** Serves by this file from now on. If it cannot, the process before goes on, and that is the error. */
  async serve(file: string, socket: string): Promise<void> {
    const before = this.#serving
    const logFile = join(this.#options.folder, 'haproxy.log')
    const takeOver = before === undefined ? [] : ['-x', before.socket, '-sf', String(before.pid)]
    await writeFile(logFile, '')
    const [said, accessLog] = await Promise.all([
      open(logFile, 'a'),
      open(this.#options.accessLogFile, 'a', 0o640),
    ])
    const [program, args] = await outliving('haproxy', ['-db', '-f', file, ...takeOver])
    let child: ChildProcess
    try {
      child = spawn(program, args, {
        // Not in our group, nor by our pipes: it goes on without us.
        detached: true,
        stdio: ['ignore', said.fd, said.fd, accessLog.fd],
      })
    } finally {
      await Promise.all([said.close(), accessLog.close()])
    }
    const exit = new Promise<string>((resolve) => {
      child.once('error', (error) => {
        resolve(error.message)
      })
      child.once('exit', (code, signal) => {
        resolve(signal ?? `exit code ${String(code)}`)
      })
    })
    child.unref()
    const failure = await this.#untilUp(socket, exit, before !== undefined)
    if (failure !== undefined) {
      child.kill('SIGKILL')
      const said = wordsOf((await readFileIfThere(logFile)) ?? '')
      throw new MureError('unavailable', `HAProxy did not start: ${said === '' ? failure : said}`)
    }
    const serving = { pid: child.pid ?? 0, socket }
    this.#serving = serving
    await writeFileAtomic(this.#note, JSON.stringify(serving))
    exit
      .then(async (how) => {
        if (this.#serving !== serving) return
        this.#serving = undefined
        this.#options.ended(`${how} ${wordsOf((await readFileIfThere(logFile)) ?? '')}`.trim())
      })
      .catch(() => undefined)
  }

  /** The answer to runtime commands. */
  ask(commands: readonly string[]): Promise<string> {
    if (this.#serving === undefined) throw new MureError('unavailable', 'HAProxy does not run')
    return askHaproxy(this.#serving.socket, commands)
  }

  /** Serves no more: what is under way may end, but not for long. */
  async stop(): Promise<void> {
    const serving = this.#serving
    this.#serving = undefined
    if (serving === undefined) return
    await writeFileAtomic(this.#note, 'null')
    signal(serving.pid, 'SIGUSR1')
    const until = performance.now() + stopTimeoutMs
    while (signal(serving.pid, 0) && performance.now() < until) await sleep(50)
    signal(serving.pid, 'SIGKILL')
  }

  /** Undefined once it answers; else why it never will. */
  async #untilUp(socket: string, exit: Promise<string>, takesOver: boolean): Promise<string | undefined> {
    const state: { exit?: string } = {}
    exit.then(
      (how) => (state.exit = how),
      () => undefined,
    )
    const until = performance.now() + startTimeoutMs
    for (;;) {
      try {
        await askHaproxy(socket, ['show info'])
        return undefined
      } catch {
        if (state.exit !== undefined) return state.exit
        if (performance.now() > until)
          return `no answer within ${String(startTimeoutMs / 1000)} s${takesOver ? ' of taking over' : ''}`
        await sleep(20)
      }
    }
  }
}

/** False: there is no such process. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch {
    return false
  }
}

/** A number may be somebody else's by now. */
async function isHaproxy(pid: number, folder: string): Promise<boolean> {
  const command = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '')
  const parts = command.split('\0')
  return /(^|\/)haproxy$/.test(parts[0] ?? '') && parts.some((part) => part.startsWith(folder))
}
