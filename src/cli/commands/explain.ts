import type { Command } from 'commander'
import type { PlacementReport } from '#manager/control/control.ts'
import { DaemonClient } from '../client.ts'
import { table } from '../table.ts'

export function register(program: Command): void {
  program
    .command('explain')
    .description('why a task is where it is, or nowhere: what each node says to it')
    .argument('<task|service>', 'a name (web, web.1) or an id, or the beginning of one')
    .option('--format <form>', '"json" for programs')
    .option('-H, --host <url>', 'the daemon, as with docker')
    .addHelpText(
      'after',
      '\nFor each node: the filter that refuses the task, with what does not suit, or the place it has among those that' +
        '\nwould take it. For a service, the question is one more task of it; for a task, where it would go if it had no node.',
    )
    .action(async (wanted: string, options: { format?: string; host?: string }) => {
      const path = `/mure/v1/explain/${encodeURIComponent(wanted)}`
      const report = await new DaemonClient(options.host).json<PlacementReport>({ method: 'GET', path })
      process.stdout.write(
        `${options.format === 'json' ? JSON.stringify(report, null, 2) : asText(report)}\n`,
      )
    })
}

function asText({ service, strategy, notes, tasks, nodes }: PlacementReport): string {
  const tasksTable = table(
    ['TASK', 'ID', 'STATE', 'NODE', 'WHY'],
    tasks.map(({ name, id, state, node, why }) => ({
      TASK: name,
      ID: id.slice(0, 12),
      STATE: state,
      NODE: node === '' ? '-' : node,
      WHY: why,
    })),
  )
  const nodesTable = table(
    ['NODE', 'ANSWER', 'WHY'],
    nodes.map(({ name, rank, refusedBy, why }) => ({
      NODE: name,
      ANSWER: refusedBy === undefined ? `place ${String(rank ?? 0)}` : `no: ${refusedBy}`,
      WHY: why,
    })),
  )
  return [
    ...(service === undefined ? [] : [`${service.name} (${service.mode}, strategy ${strategy})`]),
    ...notes.map((note) => `  ${note}`),
    ...(tasks.length === 0 ? [] : ['', tasksTable]),
    '',
    nodes.length === 0 ? 'There is no node to ask.' : nodesTable,
  ].join('\n')
}
