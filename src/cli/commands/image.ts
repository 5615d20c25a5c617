import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { MureError } from '#lib/errors.ts'
import type { ImagePushReport } from '#manager/control/images.ts'
import { DaemonClient } from '../client.ts'

export function register(program: Command): void {
  const image = program
    .command('image')
    .description('images of the cluster, without any registry')
    .helpCommand(false)
  image
    .command('push')
    .description('put an image of this host on other nodes, without any registry')
    .argument('<image>', 'as "docker image ls" names it on this host')
    .option(
      '--nodes <names>',
      'which nodes, by names or ids with commas between (default: all that are ready)',
    )
    .option('-H, --host <url>', 'the daemon, as with docker: a manager')
    .addHelpText(
      'after',
      '\nOnly layers that a node lacks are sent. Nodes that have the image pass it on, so many take little longer' +
        '\nthan one. A service whose image is in no registry is also fetched by itself from a node that has it.',
    )
    .action(push)
}

async function push(image: string, options: { nodes?: string; host?: string }): Promise<void> {
  const client = new DaemonClient(options.host)
  const nodes = options.nodes?.split(',').map((name) => name.trim())
  const answer = await client.stream({
    method: 'POST',
    path: '/mure/v1/images/push',
    json: { image, ...(nodes === undefined ? {} : { nodes }) },
  })
  const failed: string[] = []
  let count = 0
  for await (const line of createInterface({ input: answer })) {
    const report = JSON.parse(line) as ImagePushReport
    count += 1
    process.stdout.write(`${report.node}: ${told(report)}\n`)
    if (report.outcome.type === 'failed') failed.push(report.node)
  }
  if (failed.length > 0) throw new MureError('unavailable', `${image} is not on ${failed.join(', ')}`)
  if (count === 0) process.stdout.write('there is no other node\n')
}

function told({ outcome }: ImagePushReport): string {
  if (outcome.type === 'failed') return outcome.error
  if (outcome.bytes === 0) return 'has it already'
  const mebibytes = (outcome.bytes / 2 ** 20).toFixed(1)
  return `${String(outcome.sentLayers)} of ${String(outcome.layers)} layers sent, ${mebibytes} MiB`
}
