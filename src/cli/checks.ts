import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Semaphore } from '#lib/semaphore.ts'
import { root, runTool } from './tool.ts'

interface Check {
  readonly name: string
  /** What it is for, in the line that it gets. */
  readonly about: string
  /** A program of node_modules/.bin and its arguments. */
  readonly command: readonly [string, ...string[]]
}

/** The longest first, so that the short ones fill the other core. */
const checks: readonly Check[] = [
  {
    name: 'eslint',
    about: 'lint',
    command: ['eslint', '--cache', '--cache-location', 'node_modules/.cache/eslint', '.'],
  },
  { name: 'tsc', about: 'types', command: ['tsc', '--project', '.'] },
  { name: 'tsc web', about: 'types', command: ['tsc', '--project', 'web'] },
  {
    name: 'prettier',
    about: 'format',
    command: [
      'prettier',
      '--check',
      '--cache',
      '--cache-location',
      'node_modules/.cache/prettier-cache',
      '--log-level',
      'warn',
      '.',
    ],
  },
  { name: 'knip', about: 'dead code', command: ['knip', '--no-progress'] },
  {
    name: 'dependency-cruiser',
    about: 'layers',
    command: ['depcruise', '--config', 'dependency-cruiser.config.js', '--output-type', 'err', 'src'],
  },
]

/** Runs all checks, each with a line of its own, and what a failed one said. Gives whether all passed. */
export async function runChecks(say: (text: string) => void): Promise<boolean> {
  const cores = new Semaphore(availableParallelism())
  const results = checks.map(({ name, about, command: [file, ...args] }) =>
    cores.run(async () => {
      const { exitCode, output, seconds } = await runTool(join(root, 'node_modules', '.bin', file), args)
      const passed = exitCode === 0
      say(`${passed ? '✔' : '✖'} ${name.padEnd(18)} ${about.padEnd(10)} ${seconds.toFixed(1)} s`)
      if (!passed) say(output.trimEnd())
      return passed
    }),
  )
  return (await Promise.all(results)).every(Boolean)
}
