import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { root, runNode } from './tool.ts'

export type SuiteName = 'unit' | 'integration' | 'e2e'

/** Unit tests are pure, so nothing leaks from one into another; the others have real engines, stores and kernels. */
export const suites: Readonly<Record<SuiteName, string>> = {
  unit: '{src,web}/**/*.test.ts',
  integration: 'test/integration/**/*.test.ts',
  e2e: 'test/e2e/**/*.test.ts',
}

/** The suite's files, or those with the text in their path. */
export async function testFiles(suite: SuiteName, text = ''): Promise<string[]> {
  const files: string[] = []
  for await (const file of glob(suites[suite], { cwd: root })) if (file.includes(text)) files.push(file)
  return files.sort()
}

/** All in one process, as one for each file would cost twenty times as long. Gives whether all passed. */
export async function runUnitTests(files: readonly string[]): Promise<boolean> {
  const flags = [
    '--test',
    '--test-reporter-destination=stdout',
    '--test-isolation=none',
    '--experimental-test-coverage',
    '--test-coverage-exclude=**/*.test.ts',
    '--test-coverage-exclude=**/testing/**',
    `--test-reporter=${join(import.meta.dirname, 'coverage-reporter.ts')}`,
  ]
  return (await runNode([...flags, ...files])) === 0
}
