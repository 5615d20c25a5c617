import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { MureError } from '#lib/errors.ts'
import { ensurePackages } from '../prerequisites.ts'
import { runChecks } from './check.ts'

const root = join(import.meta.dirname, '..', '..', '..')

/** Kinds of tests: what they are is told in docs/testing.md. */
const kinds = {
  unit: {
    files: ['src/**/*.test.ts', 'test/simulation/**/*.test.ts'],
    // Pure code leaves nothing behind, so one process serves all.
    flags: [
      '--test-isolation=none',
      '--experimental-test-coverage',
      '--test-coverage-include=src/**/*.ts',
      '--test-coverage-exclude=**/*.test.ts',
    ],
  },
  integration: { files: ['test/integration/**/*.test.ts'], flags: ['--test-concurrency=1'] },
  e2e: { files: ['test/e2e/**/*.test.ts'], flags: ['--test-concurrency=1'] },
} as const

type Kind = keyof typeof kinds

export function register(program: Command): void {
  program
    .command('test')
    .description(
      'set up and pass every test; with a kind, those alone; with a name, those whose file name has it',
    )
    .argument('[kind]', 'unit, integration or e2e')
    .argument('[name]')
    .action(async (kind: string | undefined, name: string | undefined) => {
      if (!(await runTests(kind, name))) process.exitCode = 1
    })
}

async function runTests(kind: string | undefined, name: string | undefined): Promise<boolean> {
  if (kind !== undefined && !(kind in kinds))
    throw new MureError('invalid', `there are ${Object.keys(kinds).join(', ')} tests, not "${kind}"`)
  let good = true
  if (kind === undefined) {
    say('check')
    good = await runChecks()
  }
  if (kind !== 'unit')
    await ensurePackages((text) => {
      process.stdout.write(`${text}\n`)
    })
  for (const each of Object.keys(kinds) as Kind[]) {
    if (kind !== undefined && kind !== each) continue
    say(each)
    good = (await runKind(each, name)) && good
  }
  process.stdout.write(good ? '\nAll is well.\n' : '\nSomething failed; see above.\n')
  return good
}

const say = (text: string) => process.stdout.write(`\n== ${text}\n`)

async function runKind(kind: Kind, name: string | undefined): Promise<boolean> {
  const files: string[] = []
  for (const pattern of kinds[kind].files)
    for await (const file of glob(pattern, { cwd: root }))
      if (name === undefined || file.includes(name)) files.push(file)
  if (files.length === 0) {
    process.stdout.write(`no ${kind} test${name === undefined ? '' : ` has "${name}" in its file name`}\n`)
    return name !== undefined
  }
  const flags = [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-reporter=spec',
    ...kinds[kind].flags,
  ]
  const child = spawn(process.execPath, [...flags, ...files.sort()], { cwd: root, stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code === 0
}
