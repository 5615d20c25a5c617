import { Argument } from 'commander'
import type { Command } from 'commander'
import { MureError } from '#lib/errors.ts'
import { runChecks } from '../checks.ts'
import { clients, ensurePackages } from '../prerequisites.ts'
import { runSuite, suites, testFiles } from '../suites.ts'
import type { SuiteName } from '../suites.ts'

export function register(program: Command): void {
  program
    .command('test')
    .description('Sets up and passes every test: the checks, then unit, integration and e2e tests.')
    .addArgument(new Argument('[suite]', 'only these tests').choices(Object.keys(suites)))
    .argument('[name]', 'only the files with this in their path')
    .action(test)
}

const say = (text: string) => process.stdout.write(`${text}\n`)

async function test(suite?: SuiteName, name?: string): Promise<void> {
  const wanted = suite === undefined ? (Object.keys(suites) as SuiteName[]) : [suite]
  if (wanted.some((each) => each !== 'unit')) await ensurePackages(say, clients)
  const results: (readonly [string, boolean])[] = []
  if (suite === undefined) results.push(['check', await runChecks(say)])
  for (const each of wanted) {
    const files = await testFiles(each, name)
    if (files.length === 0 && name !== undefined)
      throw new MureError('invalid', `no file of ${each} tests has "${name}" in its path`)
    if (files.length > 0) results.push([each, await runSuite(each, files)])
  }
  if (results.length > 1) for (const [what, passed] of results) say(`${passed ? '✔' : '✖'} ${what}`)
  if (!results.every(([, passed]) => passed)) process.exitCode = 1
}
