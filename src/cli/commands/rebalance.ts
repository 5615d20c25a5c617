import type { Command } from 'commander'
import type { RebalanceReport } from '#manager/control/control.ts'
import { DaemonClient } from '../client.ts'
import { table } from '../table.ts'

export function register(program: Command): void {
  program
    .command('rebalance')
    .description('move tasks to nodes that have more room, such as those that came back')
    .option('--dry-run', 'only show what would move')
    .option('-H, --host <url>', 'the daemon, as with docker')
    .addHelpText(
      'after',
      "\nEach service's tasks move at the pace of its update policy (--update-parallelism, --update-delay). A task stops" +
        '\nonly once its successor runs, so that no request is lost. Where nothing is to gain, nothing moves.' +
        '\n"mure cluster set rebalance=on" lets it happen by itself when a node comes back.',
    )
    .action(async ({ dryRun, host }: { dryRun?: boolean; host?: string }) => {
      const report = await new DaemonClient(host).json<RebalanceReport>({
        method: 'POST',
        path: '/mure/v1/rebalance',
        query: { dryRun: dryRun === true ? '1' : undefined },
      })
      process.stdout.write(`${asText(report, dryRun === true)}\n`)
    })
}

function asText({ moves, leftAlone }: RebalanceReport, dryRun: boolean): string {
  const lines = leftAlone.map(({ service, why }) => `${service} is left alone: ${why}`)
  if (moves.length === 0) return ['Nothing is to gain: nothing moves.', ...lines].join('\n')
  const rows = moves.map(({ task, from, to }) => ({ TASK: task, FROM: from, TO: to }))
  const what = dryRun ? 'would move' : 'move now; follow them with "docker service ps"'
  const count = `${String(moves.length)} task${moves.length === 1 ? '' : 's'}`
  return [table(['TASK', 'FROM', 'TO'], rows), `${count} ${what}`, ...lines].join('\n')
}
