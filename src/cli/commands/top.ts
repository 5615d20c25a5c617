import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { errorText } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import { DaemonClient } from '../client.ts'
import { renderTop } from '../top/screen.ts'
import type { Order, TopAnswer } from '../top/screen.ts'

interface TopOptions {
  readonly host?: string
  readonly once?: true
  readonly every: number
}

const orders: Readonly<Record<string, Order>> = { c: 'cpu', m: 'memory', n: 'name' }
const onceSize = { columns: 200, rows: 10_000 }

export function register(program: Command): void {
  program
    .command('top')
    .description('what nodes and tasks use now, live; asks a manager')
    .option('--once', 'print it once and end, as when the output is no terminal')
    .option('--every <seconds>', 'how often to look', seconds, 2)
    .option('-H, --host <url>', 'a manager, as with docker')
    .addHelpText(
      'after',
      '\nKeys: c, m, n order tasks by processor, memory, name; q ends.' +
        '\nAgents look every ten seconds, so figures are averages over about that span.',
    )
    .action(async (options: TopOptions) => {
      const client = new DaemonClient(options.host)
      const ask = () => client.json<TopAnswer>({ method: 'GET', path: '/mure/v1/top' })
      if (options.once === true || !process.stdout.isTTY) {
        const lines = renderTop(await ask(), { ...onceSize, order: 'cpu', now: Date.now() })
        process.stdout.write(`${lines.join('\n').replaceAll(/\u001b\[\d+m/g, '')}\n`)
        return
      }
      await live(ask, options.every * 1_000)
    })
}

/** On a screen of its own, which is left as it was found. */
async function live(ask: () => Promise<TopAnswer>, everyMs: number): Promise<void> {
  const { stdin, stdout } = process
  const stop = new AbortController()
  let order: Order = 'cpu'
  let last = await ask()
  /** Why there are no newer figures. */
  let trouble = ''
  const draw = () => {
    const lines = renderTop(last, { columns: stdout.columns, rows: stdout.rows, order, now: Date.now() })
    // Below the title there is a line left.
    if (trouble !== '') lines[1] = trouble.slice(0, stdout.columns)
    // Line by line over what was there: without a flash, and the rest is cleared.
    stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`)
  }
  const onKey = (key: Buffer) => {
    const text = key.toString()
    if (text === 'q' || text === '\u0003') stop.abort()
    order = orders[text] ?? order
    draw()
  }
  stdout.write('\u001b[?1049h\u001b[?25l')
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.on('data', onKey)
  stdout.on('resize', draw)
  process.once('SIGTERM', () => {
    stop.abort()
  })
  try {
    while (!stop.signal.aborted) {
      draw()
      await sleep(everyMs, stop.signal).catch(() => undefined)
      if (stop.signal.aborted) break
      // A daemon that is started anew, or a manager that waits for others, is back in a moment.
      await ask().then(
        (answer) => {
          last = answer
          trouble = ''
        },
        (error: unknown) => (trouble = errorText(error)),
      )
    }
  } finally {
    stdin.off('data', onKey)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
    stdout.off('resize', draw)
    stdout.write('\u001b[?25h\u001b[?1049l')
  }
}

function seconds(text: string): number {
  const value = Number(text)
  if (!(value >= 0.5 && value <= 3_600)) throw new InvalidArgumentError('It is a number from 0.5 to 3600.')
  return value
}
