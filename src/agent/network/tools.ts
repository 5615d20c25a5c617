import { exec, execResult } from '#lib/exec.ts'

/** One process for any number of changes. Each line is a command without its program's name. */
export async function ipBatch(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await exec('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` })
}

/** As `ipBatch`, going on after what fails: entries that are there already, or gone already, are no matter. */
export async function ipBatchLoose(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await execResult('ip', ['-force', '-batch', '-'], { input: `${lines.join('\n')}\n` })
}

export async function bridgeBatchLoose(lines: readonly string[]): Promise<void> {
  if (lines.length > 0)
    await execResult('bridge', ['-force', '-batch', '-'], { input: `${lines.join('\n')}\n` })
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
