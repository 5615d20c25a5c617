import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { labMark, markedProcesses } from '#lab/processes.ts'
import { labDir, namespacePrefix } from '#lab/record.ts'
import { exec, execResult } from '#lib/exec.ts'
import type { ExecResult } from '#lib/exec.ts'
import { sleep } from '#lib/wait.ts'

const mure = join(import.meta.dirname, '..', '..', '..', 'mure')
const timeoutMs = 120_000

/** `./mure lab …`, as a person runs it. */
export const lab = (...args: readonly string[]): Promise<string> =>
  exec(mure, ['lab', ...args], { timeoutMs })

export const tryLab = (args: readonly string[], input?: string): Promise<ExecResult> =>
  execResult(mure, ['lab', ...args], input === undefined ? { timeoutMs } : { timeoutMs, input })

/** The command, killed after a while without any chance to clean up. Says whether it had ended by itself before. */
export async function labKilledAfter(ms: number, ...args: readonly string[]): Promise<boolean> {
  const child = spawn(mure, ['lab', ...args], { stdio: 'ignore' })
  const ended = once(child, 'exit') as Promise<[number | null]>
  await Promise.race([ended, sleep(ms)])
  child.kill('SIGKILL')
  return (await ended)[0] !== null
}

/** A name for a lab of this test alone, and its end whatever happens. */
export function ownLab(prefix: string): AsyncDisposable & { readonly name: string } {
  const name = `${prefix}${String(process.pid)}`
  return {
    name,
    async [Symbol.asyncDispose]() {
      await lab('down', '--name', name)
      assert.deepEqual(await leftovers(name), [])
    },
  }
}

/** Everything on this machine that bears the lab's name. */
export async function leftovers(name: string): Promise<string[]> {
  const found = (await markedProcesses(labMark(name))).map((pid) => `process ${String(pid)}`)
  const namespaces = (await exec('ip', ['netns', 'list'])).split('\n')
  found.push(...namespaces.filter((line) => line.startsWith(namespacePrefix(name))))
  const mounts = (await exec('cat', ['/proc/self/mounts'])).split('\n')
  found.push(...mounts.filter((line) => line.includes(`/${name}/`)))
  const groups = await execResult('find', ['/sys/fs/cgroup', '-path', `*/mure-lab/${name}`])
  found.push(...groups.stdout.split('\n').filter(Boolean))
  const files = await readdir(labDir(name)).catch(() => [])
  found.push(...files.map((file) => join(labDir(name), file)))
  return found
}

export interface ListedHost {
  readonly lab: string
  readonly host: string
  readonly address: string
  readonly pid: number | null
  readonly power: string
  readonly cable: string
  readonly engine: string | null
  readonly swarm: string | null
}

export async function listed(name: string): Promise<Map<string, ListedHost>> {
  const hosts = JSON.parse(await lab('ls', '--json')) as ListedHost[]
  return new Map(hosts.filter((host) => host.lab === name).map((host) => [host.host, host]))
}
