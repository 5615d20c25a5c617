import { exec, execResult } from '#lib/exec.ts'
import { MureError } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'

/** Where a program of the network is run: default in this host's namespace, and for IPv4. */
export interface Where {
  /** The path of another network namespace. */
  readonly netns?: string | undefined
  readonly family?: 4 | 6
}

/** One process for any number of changes. Each line is a command without its program's name. */
export async function ipBatch(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await exec('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` })
}

/** As `ipBatch`, going on after what fails: entries that are there already, or gone already, are no matter. */
export async function ipBatchLoose(lines: readonly string[], where: Where = {}): Promise<void> {
  if (lines.length > 0) await batch('ip', lines, where)
}

const againMs = 20

/**
 * As `ipBatchLoose`, and again until all is there: a link that is being set up takes no route yet. `unavailable`: it
 * could not be done within the time, or only in part.
 */
export async function batchSettled(
  program: 'ip' | 'bridge',
  lines: readonly string[],
  where: Where & { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  if (lines.length === 0) return
  for (let waited = 0; ; waited += againMs) {
    const { stderr, exitCode } = await batch(program, lines, where)
    const failure = exitCode === 0 ? undefined : failureIn(lines, stderr)
    if (failure === undefined) return
    if (waited >= where.timeoutMs) throw new MureError('unavailable', `${program} ${failure}`)
    await sleep(againMs, where.signal)
  }
}

/** What went wrong, other than that something was there already, or gone already. */
export function failureIn(lines: readonly string[], stderr: string): string | undefined {
  const parts = stderr.split(/^Command failed -:(\d+)\n?/m)
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const line = lines[Number(parts[at + 1]) - 1] ?? ''
    const said = (parts[at] ?? '').trim()
    if (!/ del /.test(` ${line} `) && !said.includes('File exists')) return `${line}: ${said}`
  }
  // Some failures end the program on the spot.
  const rest = (parts.at(-1) ?? '').trim()
  return rest === '' ? undefined : rest
}

function batch(program: string, lines: readonly string[], { netns, family }: Where) {
  const args = [...(family === 6 ? ['-6'] : []), '-force', '-batch', '-']
  const options = { input: `${lines.join('\n')}\n` }
  return netns === undefined
    ? execResult(program, args, options)
    : execResult('nsenter', [`--net=${netns}`, program, ...args], options)
}

/** In one transaction: all of it or none. `netns`: the path of another network namespace. */
export async function nft(lines: readonly string[], netns?: string): Promise<void> {
  if (lines.length === 0) return
  const input = `${lines.join('\n')}\n`
  if (netns === undefined) await exec('nft', ['-f', '-'], { input })
  else await exec('nsenter', [`--net=${netns}`, 'nft', '-f', '-'], { input })
}

/** A program in another network namespace; its failure is the caller's to judge. */
export const inNetns = (netns: string, ...command: string[]) =>
  execResult('nsenter', [`--net=${netns}`, ...command])
