import type { Command } from 'commander'
import type { NetworkExamination } from '#model/network-examination.ts'
import { DaemonClient } from '../client.ts'
import { renderExamination } from '../network-examination.ts'

export function register(program: Command): void {
  const network = program.command('network').description('the networks of the cluster')
  network
    .command('doctor')
    .description(
      "compare every host's kernel with what it should be, and try the way between all pairs of hosts",
    )
    .option('--repair', 'put right what differs')
    .option('--json', 'the whole answer, for programs')
    .option('-H, --host <url>', 'the daemon of a manager, as with docker')
    .addHelpText(
      'after',
      '\nEach host is asked for its links, forwarding entries and rules. Then each sends packets to all others through' +
        '\na tunnel that is made for this alone: a small one, and one of the largest size that networks use, which no' +
        '\nhost on the way may cut in pieces. The tunnel needs the UDP port of the data path (4789) open between hosts.' +
        '\n\nEnds with 1 if anything is not as it should be and was not put right.',
    )
    .action(async (options: { repair?: boolean; json?: boolean; host?: string }) => {
      const examination = await new DaemonClient(options.host).json<NetworkExamination>({
        method: 'POST',
        path: '/mure/v1/networks/examine',
        query: { repair: options.repair === true ? 'true' : undefined },
      })
      const { text, isWell } = renderExamination(examination)
      process.stdout.write(options.json === true ? `${JSON.stringify(examination, undefined, 2)}\n` : text)
      if (!isWell) process.exitCode = 1
    })
}
