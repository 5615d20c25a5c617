import { relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import type { TestEvent } from 'node:test/reporters'
import { root } from './tool.ts'

/** Tests of one file. */
export interface Counts {
  readonly passed: number
  readonly failed: number
}

/** What came of some files of tests that were run one after the other. */
export interface FilesRun {
  readonly ran: ReadonlyMap<string, Counts>
  /** What was not begun, as the time was over. */
  readonly notRun: readonly string[]
}

/** A single test that takes longer than this hangs. */
const timeoutMs = 6 * 60_000

/**
 * Runs tests on real components, a process for each file and one file at a time, as they share the machine's few
 * cores. No file is begun after `endsAt` (in `performance.now()` time).
 */
export async function runFilesInTurn(files: readonly string[], endsAt: number): Promise<FilesRun> {
  const ran = new Map<string, Counts>()
  const notRun: string[] = []
  for (const file of files) {
    if (performance.now() >= endsAt) {
      notRun.push(file)
      continue
    }
    process.stdout.write(`\n${relative(root, file)}\n`)
    ran.set(file, await runFile(file))
  }
  return { ran, notRun }
}

async function runFile(file: string): Promise<Counts> {
  let passed = 0
  let failed = 0
  const reporter = new spec()
  reporter.pipe(process.stdout, { end: false })
  const events: AsyncIterable<TestEvent> = run({
    files: [file],
    cwd: root,
    concurrency: false,
    timeout: timeoutMs,
  })
  for await (const event of events) {
    // The counts of a single file tell nobody anything: they are added up, and said once.
    if (event.type === 'test:diagnostic' && event.data.nesting === 0) continue
    if (event.type === 'test:pass' && event.data.nesting === 0) passed += 1
    if (event.type === 'test:fail' && event.data.nesting === 0) failed += 1
    reporter.write(event)
  }
  await new Promise<void>((resolve) => reporter.end(resolve))
  return { passed, failed }
}
