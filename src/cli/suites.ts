import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { root, runNode } from './tool.ts'

export type SuiteName = 'unit' | 'integration' | 'e2e'

interface Suite {
  readonly files: string
  readonly flags: readonly string[]
}

/** A single test that takes longer than this hangs. */
const timeoutMs = 10 * 60_000
const real = ['--test-concurrency=1', '--test-reporter=spec', `--test-timeout=${String(timeoutMs)}`]

export const suites: Readonly<Record<SuiteName, Suite>> = {
  // Pure, so nothing leaks from one into another, and a process for each file would cost twenty times as long.
  unit: {
    files: 'src/**/*.test.ts',
    flags: [
      '--test-isolation=none',
      '--experimental-test-coverage',
      '--test-coverage-exclude=**/*.test.ts',
      '--test-coverage-exclude=**/testing/**',
      `--test-reporter=${join(import.meta.dirname, 'coverage-reporter.ts')}`,
    ],
  },
  // With real engines, stores and kernels: one after the other, as they share the machine's two cores.
  integration: { files: 'test/integration/**/*.test.ts', flags: real },
  e2e: { files: 'test/e2e/**/*.test.ts', flags: real },
}

/** The suite's files, or those with the text in their path. */
export async function testFiles(suite: SuiteName, text = ''): Promise<string[]> {
  const files: string[] = []
  for await (const file of glob(suites[suite].files, { cwd: root })) if (file.includes(text)) files.push(file)
  return files.sort()
}

/** Gives whether all tests passed. */
export async function runSuite(suite: SuiteName, files: readonly string[]): Promise<boolean> {
  const flags = ['--test', '--test-reporter-destination=stdout', ...suites[suite].flags]
  return (await runNode([...flags, ...files])) === 0
}
