import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from 'commander'

const root = join(import.meta.dirname, '..', '..', '..')

/** One of the checks, run with the project's own tools. */
interface Check {
  readonly name: string
  readonly command: readonly string[]
}

const checks: readonly Check[] = [
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'lint', command: ['eslint', '--max-warnings', '0', '.'] },
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  {
    name: 'layers',
    command: ['depcruise', 'src', '--config', 'dependency-cruiser.config.js', '--output-type', 'err'],
  },
  { name: 'dead code', command: ['knip', '--no-progress'] },
]

export function register(program: Command): void {
  program
    .command('check')
    .description('types, lint, format, layers, dead code')
    .action(async () => {
      if (!(await runChecks())) process.exitCode = 1
    })
}

/** Runs all checks, two at a time, one line each; what a failed one said follows its line. */
export async function runChecks(): Promise<boolean> {
  const waiting = [...checks]
  let good = true
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const started = performance.now()
      const { code, output } = await run(check.command)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      process.stdout.write(
        `${code === 0 ? 'ok  ' : 'FAIL'} ${check.name} (${seconds} s)\n${code === 0 ? '' : output}`,
      )
      if (code !== 0) good = false
    }
  }
  await Promise.all([worker(), worker()])
  return good
}

function run([tool = '', ...args]: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'node_modules', '.bin', tool), ...args], { cwd: root })
    let output = ''
    const collect = (chunk: Buffer) => (output += chunk.toString())
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({ code: code ?? 1, output })
    })
  })
}
