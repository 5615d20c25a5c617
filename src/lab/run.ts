import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { exec } from '#lib/exec.ts'
import type { ExecOptions } from '#lib/exec.ts'
import { enterHost } from './host.ts'
import type { LabHost, LabRecord } from './record.ts'

/** Where the launcher is. */
const root = join(import.meta.dirname, '..', '..')

/** Runs a command inside a host and gives its output; a failure says what the command said. */
export async function runIn(
  lab: LabRecord,
  host: LabHost,
  command: readonly string[],
  options: Omit<ExecOptions, 'env'> = {},
): Promise<string> {
  const [file = '', ...args] = await enterHost(lab, host)
  return exec(file, [...args, '--', ...command], { ...options, env: insideEnvironment() })
}

/**
 * Runs a command inside a host as if this terminal were the host's: the same input, output and working folder.
 * Gives its exit code, as a shell would: 128 and the signal's number for one that a signal ended.
 */
export async function runInteractive(
  lab: LabRecord,
  host: LabHost,
  command: readonly string[],
): Promise<number> {
  const [file = '', ...args] = await enterHost(lab, host)
  // The terminal sends its signals to the command too; it decides what they mean.
  const ignore = () => undefined
  const signals = ['SIGINT', 'SIGQUIT'] as const
  for (const signal of signals) process.on(signal, ignore)
  const child = spawn(file, [...args, `--wdns=${process.cwd()}`, '--', ...command], {
    stdio: 'inherit',
    env: insideEnvironment(),
  })
  const forward = (signal: NodeJS.Signals) => child.kill(signal)
  process.on('SIGTERM', forward)
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? 128 + constants.signals[signal ?? 'SIGKILL']
  } finally {
    for (const signal of signals) process.off(signal, ignore)
    process.off('SIGTERM', forward)
  }
}

/** This process's environment without what would lead docker to another engine than the host's. `mure` is found. */
function insideEnvironment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => !/^(DOCKER_|MURE_LAB)/.test(name))
  const environment = Object.fromEntries(names.map((name) => [name, process.env[name]]))
  return { ...environment, PATH: [environment['PATH'], root].filter(Boolean).join(delimiter) }
}
