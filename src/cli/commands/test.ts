import { Argument, InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { MureError } from '#lib/errors.ts'
import { runChecks } from '../checks.ts'
import { clients, ensurePackages } from '../prerequisites.ts'
import { runFilesInTurn } from '../real-suite.ts'
import type { Counts, FilesRun } from '../real-suite.ts'
import { runUnitTests, suites, testFiles } from '../suites.ts'
import type { SuiteName } from '../suites.ts'

interface Options {
  readonly retry?: true
  /** Minutes. */
  readonly budget?: number
}

export function register(program: Command): void {
  program
    .command('test')
    .description('Sets up and passes every test: the checks, then unit, integration and e2e tests.')
    .addArgument(new Argument('[suite]', 'only these tests').choices(Object.keys(suites)))
    .argument('[name]', 'only the files with this in their path')
    .option('--retry', 'run a file of integration or e2e tests that failed once more at the end, and say so')
    .option('--budget <minutes>', 'begin no file of integration or e2e tests after this time', minutes)
    .action(test)
}

function minutes(text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new InvalidArgumentError('It is a number of minutes above 0.')
  return number
}

const say = (text: string) => process.stdout.write(`${text}\n`)

async function test(suite: SuiteName | undefined, name: string | undefined, options: Options): Promise<void> {
  const endsAt = performance.now() + (options.budget ?? Infinity) * 60_000
  const wanted = suite === undefined ? (Object.keys(suites) as SuiteName[]) : [suite]
  if (wanted.some((each) => each !== 'unit')) await ensurePackages(say, clients)
  const results: (readonly [string, boolean])[] = []
  if (suite === undefined) results.push(['check', await runChecks(say)])
  const real: string[] = []
  for (const each of wanted) {
    const files = await testFiles(each, name)
    if (files.length === 0 && name !== undefined)
      throw new MureError('invalid', `no file of ${each} tests has "${name}" in its path`)
    if (each !== 'unit') real.push(...files)
    else if (files.length > 0) results.push([each, await runUnitTests(files)])
  }
  if (real.length > 0) {
    const first = await runFilesInTurn(real, endsAt)
    results.push(['integration and e2e', await outcome(first, options.retry === true, endsAt)])
  }
  if (results.length > 1) for (const [what, passed] of results) say(`${passed ? '✔' : '✖'} ${what}`)
  if (!results.every(([, passed]) => passed)) process.exitCode = 1
}

/** Says what the tests came to, after a second run of what failed where that is wanted. Gives whether all passed. */
async function outcome(first: FilesRun, retry: boolean, endsAt: number): Promise<boolean> {
  const results = new Map(first.ran)
  const failed = () => [...results].filter(([, counts]) => counts.failed > 0).map(([file]) => file)
  const failedFirst = failed()
  if (retry && failedFirst.length > 0) {
    say(`\nOnce more, what failed: ${failedFirst.join(', ')}`)
    for (const [file, counts] of (await runFilesInTurn(failedFirst, endsAt)).ran) results.set(file, counts)
  }
  for (const file of first.notRun) say(`▲ not run for lack of time: ${file}`)
  for (const file of failedFirst)
    if (!failed().includes(file)) say(`▲ unstable: ${file} failed first, and passed when it was run again`)
  for (const file of failed()) say(`✖ ${file}`)
  const sum = (what: keyof Counts) => [...results.values()].reduce((total, counts) => total + counts[what], 0)
  say(`${String(sum('passed'))} passed, ${String(sum('failed'))} failed`)
  return failed().length === 0
}
