import { exec, execResult } from '#lib/exec.ts'
import type { ExecOptions, ExecResult } from '#lib/exec.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { enterArguments } from './host.ts'
import type { LabHost, LabRecord } from './lab.ts'

/** Runs a command inside a host and gives its output; a failure says what the command said. */
export async function runIn(
  lab: LabRecord,
  host: LabHost,
  command: readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  return exec('nsenter', [...(await enterArguments(lab, host)), ...command], options)
}

export async function tryIn(
  lab: LabRecord,
  host: LabHost,
  command: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  return execResult('nsenter', [...(await enterArguments(lab, host)), ...command], options)
}

/** Asks again until the command succeeds; the wait says what it hangs on. */
export async function untilRuns(
  lab: LabRecord,
  host: LabHost,
  command: readonly string[],
  wait: Wait,
): Promise<string> {
  for (;;) {
    const result = await tryIn(lab, host, command, { signal: wait.signal })
    if (result.exitCode === 0) return result.stdout
    wait.note(
      `${host.name}: ${command.join(' ')} (${(result.stderr || result.stdout).trim().split('\n').at(-1) ?? ''})`,
    )
    await sleep(100, wait.signal)
  }
}
