import type { Command } from 'commander'
import { labDown } from '#lab/down.ts'
import { labUp } from '#lab/up.ts'
import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import * as scenes from '../demo/scenes.ts'
import { say, Stage, title } from '../demo/stage.ts'
import { ensurePackages } from '../prerequisites.ts'

export function register(program: Command): void {
  program
    .command('demo')
    .description('set up a cluster of virtual hosts and show the whole product at work')
    .option('--keep', 'leave the cluster running at the end (the default)', true)
    .option('--no-keep', 'take it away at the end')
    .option('--step', 'wait for Enter before each step')
    .addHelpText(
      'after',
      '\nIt shows each step by the very command that does it, so that you can go on by hand. Run again, it takes up' +
        '\nwhat is there. The same steps to read and to type: docs/workshop.md',
    )
    .action(demo)
}

const timeoutMs = 300_000
/** A person reads meanwhile. */
const stepwiseTimeoutMs = 3_600_000

async function demo(options: { keep: boolean; step?: true }): Promise<void> {
  const isStepwise = options.step === true
  if (isStepwise && !process.stdin.isTTY)
    throw new MureError('invalid', '--step needs a terminal to wait for Enter at')
  await ensurePackages(say)
  using wait = startWait({ timeoutMs: isStepwise ? stepwiseTimeoutMs : timeoutMs, what: 'the demo' })
  title('1. A registry, a manager and three workers, each a host of its own')
  const wish = { name: scenes.labName, managers: 1, workers: 3, swarm: true, kind: 'mure', say } as const
  const stage = new Stage(await labUp({ ...wish, signal: wait.signal }), wait, { isStepwise })
  await scenes.showNodes(stage)
  await scenes.buildImages(stage)
  await scenes.scaleService(stage)
  await scenes.deployStack(stage)
  const addresses = await scenes.openDoors(stage)
  await scenes.cutPower(stage, addresses)
  await scenes.ask(stage, addresses)
  if (options.keep) farewell(addresses)
  else await labDown(scenes.labName, say)
}

function farewell({ application, visualizer, dashboard }: scenes.Addresses): void {
  title('The cluster goes on running')
  say(`  the application:  ${application}`)
  say(`  the dashboard:    ${dashboard}`)
  say(`  the visualizer:   ${visualizer}`)
  say('  go in:            ./mure lab exec --name demo manager01 -- docker node ls')
  say('  power back on:    ./mure lab start --name demo worker01')
  say('  a shell there:    ./mure lab exec --name demo manager01 -- sh')
  say('  remove it all:    ./mure lab down --name demo')
}
