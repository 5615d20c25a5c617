// For programs that run inside a namespace of their own, see `daemon.test.ts`: engines and daemons side by side.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { exec } from '#lib/exec.ts'
import { errorText } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import { root } from '#cli/tool.ts'

export const folder = process.argv[2] ?? ''

const ownFolder = (number: number): string => join(folder, String(number))

function start(
  number: number,
  name: string,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  const log = openSync(join(ownFolder(number), `${name}.log`), 'a')
  const child = spawn(file, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } })
  closeSync(log)
  return child
}

export async function startEngines(numbers: readonly number[]): Promise<void> {
  await exec('ip', ['link', 'set', 'lo', 'up'])
  for (const number of numbers) {
    const own = ownFolder(number)
    await mkdir(own)
    start(number, 'dockerd', 'dockerd', [
      ...['-H', `unix://${own}/engine.sock`, '--data-root', join(own, 'docker')],
      ...['--exec-root', join(own, 'exec'), '--pidfile', join(own, 'docker.pid')],
      ...['--bridge', 'none', '--iptables=false', '--ip6tables=false'],
    ])
  }
}

/** Starts a daemon and waits until it answers. `clock`: how far its clock is off, as faketime has it: `+5y`. */
export async function startDaemon(number: number, clock?: string): Promise<ChildProcess> {
  const own = ownFolder(number)
  const library = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`
  const daemon = start(
    number,
    'mured',
    process.execPath,
    [
      ...[join(root, 'src/cli/main.ts'), 'daemon', '--host', `unix://${own}/mure.sock`],
      ...['--engine', `unix://${own}/engine.sock`],
      ...['--data-dir', join(own, 'data'), '--run-dir', join(own, 'run')],
    ],
    clock === undefined ? {} : { LD_PRELOAD: library, FAKETIME: clock },
  )
  await until(`daemon ${String(number)}`, async () => (await docker(number, 'version')) !== '')
  return daemon
}

/** SIGTERM; gives its exit code. */
export async function stopDaemon(daemon: ChildProcess): Promise<number | null> {
  const ended = once(daemon, 'exit')
  daemon.kill('SIGTERM')
  const [code] = (await ended) as [number | null]
  return code
}

export const docker = async (number: number, ...args: string[]): Promise<string> =>
  (await exec('docker', ['-H', `unix://${ownFolder(number)}/mure.sock`, ...args])).trim()

/** What docker says as it refuses. */
export async function refused(number: number, ...args: string[]): Promise<string> {
  const said = await docker(number, ...args).then(
    (text) => `not refused: ${text}`,
    (error: unknown) => ({ text: errorText(error) }),
  )
  if (typeof said === 'string') throw new Error(said)
  return said.text
}

export async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await look().catch(() => false)) return
    await sleep(100)
  }
  throw new Error(`waited 30 s for ${what}`)
}

export const at = (port: number): string[] => [
  ...['--listen-addr', `127.0.0.1:${String(port)}`],
  ...['--advertise-addr', `127.0.0.1:${String(port)}`],
]

/** The states of all nodes as a manager has them, sorted. */
export const nodeStates = async (number: number): Promise<string> =>
  (await docker(number, 'node', 'ls', '--format', '{{.Status}}')).split('\n').sort().join(' ')
