import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'

/** The commands of a page of documentation: its fenced blocks that are marked as `sh`, in order. */
export async function commandsOf(page: string): Promise<string[]> {
  const text = await readFile(page, 'utf8')
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '')
}

/**
 * Runs a block as a reader would: in bash, which gives up at the first command that fails. `definitions` are the
 * functions of earlier blocks. Gives what it said; a failure says that too.
 */
export async function runBlock(
  block: string,
  options: { definitions: string; cwd: string; timeoutMs: number },
): Promise<string> {
  const script = `set -euo pipefail\n${options.definitions}\n${block}`
  const child = spawn('bash', ['-c', script], {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => (said += text))
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code === 0) return said
  throw new Error(`${block}\nended with ${String(code ?? signal)}:\n${said.slice(-4_000)}`)
}
