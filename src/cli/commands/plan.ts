import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { composeRefusal } from '#api/dashboard/compose-refusal.ts'
import { everyProblem } from '#api/dashboard/convert/every-problem.ts'
import { readFileIfThere } from '#lib/atomic-file.ts'
import { MureError } from '#lib/errors.ts'
import { DaemonClient } from '../client.ts'
import { drain, lose, scale } from '../plan/changes.ts'
import { runDocker } from '../plan/docker.ts'
import { asText } from '../plan/render.ts'
import { WhatIf } from '../plan/what-if.ts'

interface PlanOptions {
  readonly host?: string
  readonly format?: string
}

type Happen = (whatIf: WhatIf, client: DaemonClient) => Promise<void>

export function register(program: Command): void {
  const plan = withOptions(
    program
      .command('plan')
      .description('what would happen if: on a copy of the cluster as it is now, which is not changed')
      .argument('[docker...]', 'after "--": any command that docker has for the cluster')
      .addHelpText(
        'after',
        '\nThe copy is decided on by the very functions that the leader runs, and its hosts do what they are told at once.' +
          '\nShown is what differs in the end: tasks that start, stop, move, or wait for a node, and why.' +
          '\n\n  mure plan drain worker01' +
          '\n  mure plan deploy -c app.yml app' +
          '\n  mure plan -- service update --image web:2 --reserve-memory 2G web',
      ),
  )
  plan.action((words: string[], options: PlanOptions) => {
    if (words.length === 0) throw new MureError('invalid', 'what is to be planned? See "mure plan --help"')
    return show(options, (whatIf, client) => runDocker(whatIf, client, words))
  })
  const sub = (
    name: string,
    description: string,
    argument: string,
    happen: (whatIf: WhatIf, word: string) => Promise<void>,
  ) =>
    withOptions(plan.command(name).description(description).argument(argument)).action(
      (words: string | string[], _: unknown, command: Command) =>
        show(command.optsWithGlobals<PlanOptions>(), async (whatIf) => {
          for (const word of [words].flat()) await happen(whatIf, word)
        }),
    )
  sub('drain', 'its tasks are moved away', '<node...>', drain)
  sub('lose', 'its power is cut', '<node...>', lose)
  sub('scale', 'services get other numbers of tasks', '<service=replicas...>', scale)
  withOptions(
    plan
      .command('deploy')
      .description('a stack is deployed, as by "docker stack deploy"')
      .argument('<stack>')
      .requiredOption('-c, --compose-file <file>', 'the compose file; may be repeated', repeated)
      .option('--prune', 'services that the file does not have any more go'),
  ).action(async (stack: string, _: unknown, command: Command) => {
    const { composeFile, prune, ...options } = command.optsWithGlobals<
      PlanOptions & { composeFile: string[]; prune?: boolean }
    >()
    if (composeFile.length === 1) await refuseWrong(composeFile[0] ?? '')
    const files = composeFile.flatMap((file) => ['-c', file])
    const words = ['stack', 'deploy', ...files, ...(prune === true ? ['--prune'] : []), stack]
    return show(options, (whatIf, client) => runDocker(whatIf, client, words))
  })
}

const withOptions = (command: Command): Command =>
  command
    .option('-H, --host <url>', 'the daemon, as with docker')
    .option('--format <form>', '"json" for programs')

/** Docker itself would tell the first mistake only, and not where it is. */
async function refuseWrong(file: string): Promise<void> {
  if (file === '-') return
  const compose = await readFileIfThere(file)
  if (compose === undefined) return
  const cwd = dirname(resolve(file))
  const problems = await everyProblem(compose, (input) => composeRefusal({ input, cwd }))
  if (problems.length === 0) return
  const lines = problems.map(
    ({ line, message }) => `${file}:${line === undefined ? '' : `${String(line)}:`} ${message}`,
  )
  throw new MureError('invalid', lines.join('\n'))
}

const repeated = (file: string, before: string[] = []): string[] => [...before, file]

async function show(options: PlanOptions, happen: Happen): Promise<void> {
  const client = new DaemonClient(options.host)
  await using whatIf = await WhatIf.of(client)
  await happen(whatIf, client)
  const outcome = await whatIf.outcome()
  process.stdout.write(`${options.format === 'json' ? JSON.stringify(outcome, null, 2) : asText(outcome)}\n`)
}
