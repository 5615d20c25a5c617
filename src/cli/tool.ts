import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

/** A program of node_modules, or node itself, run at the root of the project. */
export interface ToolRun {
  readonly exitCode: number
  /** What it said on both of its outputs, in the order of arrival. */
  readonly output: string
  readonly seconds: number
}

export async function runTool(file: string, args: readonly string[]): Promise<ToolRun> {
  const started = performance.now()
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => (output += text))
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { exitCode: code ?? 1, output, seconds: (performance.now() - started) / 1000 }
}

/** Node with the same flags as everything of this project, its output straight to the screen. */
export async function runNode(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
