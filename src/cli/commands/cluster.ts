import type { Command } from 'commander'
import { MureError } from '#lib/errors.ts'
import type { SchedulingSettings } from '#model/scheduling.ts'
import { DaemonClient } from '../client.ts'
import { table } from '../table.ts'

const path = '/mure/v1/cluster/settings'

/** What a person writes for each setting, and what it means. */
const settings = [
  {
    name: 'strategy',
    about: 'where tasks go: spread, binpack or random; a service has its own by the label mure.strategy',
    read: (text: string) => ({ strategy: text }),
    show: (now: SchedulingSettings) => now.strategy as string,
  },
  {
    name: 'drain',
    about: "start-first: a replacement runs before a drained node's task stops; stop-first: Docker's order",
    read: (text: string) => ({ drainOrder: text }),
    show: (now: SchedulingSettings) => now.drainOrder as string,
  },
  {
    name: 'rebalance',
    about: 'on: tasks move by themselves to nodes that come back; off: only by "mure rebalance"',
    read: (text: string) => ({ rebalance: onOrOff(text) }),
    show: (now: SchedulingSettings) => (now.rebalance ? 'on' : 'off'),
  },
] as const

export function register(program: Command): void {
  const cluster = program
    .command('cluster')
    .description('settings of the cluster that docker has no words for')
  cluster
    .command('show')
    .description('the settings as they are')
    .option('-H, --host <url>', 'the daemon, as with docker')
    .action(async (options: { host?: string }) => {
      show(await new DaemonClient(options.host).json<SchedulingSettings>({ method: 'GET', path }))
    })
  cluster
    .command('set')
    .description('change settings')
    .argument('<name=value...>', 'as listed below')
    .option('-H, --host <url>', 'the daemon, as with docker')
    .addHelpText(
      'after',
      `\n${settings.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}`,
    )
    .action(async (words: string[], options: { host?: string }) => {
      const json = Object.assign({}, ...words.map(changeOf)) as object
      show(await new DaemonClient(options.host).json<SchedulingSettings>({ method: 'POST', path, json }))
    })
}

function changeOf(word: string): object {
  const [name = '', ...rest] = word.split('=')
  const setting = settings.find((known) => known.name === name)
  if (setting === undefined || rest.length === 0)
    throw new MureError(
      'invalid',
      `"${word}" is not one of ${settings.map((known) => `${known.name}=…`).join(', ')}`,
    )
  return setting.read(rest.join('='))
}

function onOrOff(text: string): boolean {
  if (text === 'on' || text === 'true') return true
  if (text === 'off' || text === 'false') return false
  throw new MureError('invalid', `rebalance is on or off, not "${text}"`)
}

function show(now: SchedulingSettings): void {
  const rows = settings.map(({ name, about, show: shown }) => ({
    SETTING: name,
    VALUE: shown(now),
    MEANING: about,
  }))
  process.stdout.write(`${table(['SETTING', 'VALUE', 'MEANING'], rows)}\n`)
}
