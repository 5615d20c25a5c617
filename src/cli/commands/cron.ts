import type { Command } from 'commander'
import type { CronReport } from '#api/mure/routes/cron.ts'
import { DaemonClient } from '../client.ts'
import { table } from '../table.ts'

interface Options {
  readonly host?: string
  readonly format?: string
}

const help = `
A service runs by the clock once it has the label mure.schedule:

  docker service create -d --name backup --mode replicated-job \\
    --label mure.schedule="0 3 * * *" --label mure.schedule.zone=Europe/Berlin registry:5000/backup

  mure.schedule                   minute, hour, day of the month, month, day of the week; or @hourly, @daily …
  mure.schedule.zone              a time zone (UTC)
  mure.schedule.concurrency       forbid: a run is left out while another goes on (default); allow; replace
  mure.schedule.deadline          so late a run that could not begin in time may still begin (10m)
  mure.schedule.history.complete  so many runs that went well are kept (3)
  mure.schedule.history.failed    so many that did not (1)
  mure.schedule.paused            true: no run begins (false)`

export function register(program: Command): void {
  const cron = program
    .command('cron')
    .description('services that run by the clock')
    .addHelpText('after', help)
  cron
    .command('ls')
    .description('all of them, with their last run and the next')
    .option('--format <form>', '"json" for programs')
    .option('-H, --host <url>', 'the daemon, as with docker')
    .action(async (options: Options) => {
      const reports = await new DaemonClient(options.host).json<CronReport[]>({
        method: 'GET',
        path: '/mure/v1/cron',
      })
      say(options.format === 'json' ? JSON.stringify(reports, null, 2) : asTable(reports))
    })
  for (const [action, about, done] of [
    ['run', 'begin a run now, beside the schedule', 'runs'],
    ['pause', 'begin no more runs; one that goes on is finished', 'is paused'],
    ['resume', 'go on; what was left out meanwhile is not made up for', 'goes on'],
  ] as const)
    cron
      .command(action)
      .description(about)
      .argument('<service>', 'its name or id')
      .option('-H, --host <url>', 'the daemon, as with docker')
      .action(async (service: string, options: Options) => {
        const path = `/mure/v1/cron/${encodeURIComponent(service)}/${action}`
        const report = await new DaemonClient(options.host).json<CronReport>({ method: 'POST', path })
        say(`${report.name} ${done}${report.next === undefined ? '' : `; next at ${report.next}`}`)
      })
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

function asTable(reports: readonly CronReport[]): string {
  return table(
    ['NAME', 'SCHEDULE', 'ZONE', 'RUNNING', 'LAST RUN', 'RESULT', 'NEXT RUN'],
    reports.map(({ name, schedule, zone, paused, next, runs }) => {
      const ended = runs.filter((run) => run.endedAt !== undefined).at(-1)
      return {
        NAME: name,
        SCHEDULE: schedule,
        ZONE: zone,
        RUNNING: String(runs.filter((run) => run.state === 'running').length),
        'LAST RUN': ended?.startedAt.replace(/\.\d+Z$/, 'Z') ?? '-',
        RESULT: ended?.state ?? '-',
        'NEXT RUN': paused ? 'paused' : (next?.replace(/\.000Z$/, 'Z') ?? 'never'),
      }
    }),
  )
}
