import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { MureError } from '#lib/errors.ts'
import { DaemonClient } from '../client.ts'

interface TokenOptions {
  readonly host?: string
  readonly role: string
  readonly ttl: number
}

interface TokenAnswer {
  readonly token: string
  readonly url?: string
}

export function register(program: Command): void {
  const dashboard = program
    .command('dashboard')
    .description('The dashboard in the browser. A manager serves it where "mure daemon --dashboard" says.')
    .helpCommand(false)
  const tokenCommand = (name: string, description: string) =>
    dashboard
      .command(name)
      .description(description)
      .option('--role <role>', 'admin, or read-only: who may look but not act', 'admin')
      .option('--ttl <duration>', 'how long the token lasts: 30m, 12h, 7d', duration, 24 * 3_600_000)
      .option('-H, --host <url>', 'a manager, as with docker')
  tokenCommand('token', 'print a token to log in with').action(async (options: TokenOptions) => {
    const { token } = await askForToken(options)
    process.stdout.write(`${token}\n`)
  })
  tokenCommand('url', 'print an address that opens the dashboard and logs in')
    .option('--at <url>', 'how your browser reaches a manager: http://localhost:9000')
    .addHelpText(
      'after',
      '\nThe token is behind the "#", so that no server and no proxy gets to see or log it; treat the address as a password.',
    )
    .action(async (options: TokenOptions & { at?: string }) => {
      const { token, url } = await askForToken(options)
      const base = options.at ?? url
      if (base === undefined)
        throw new MureError(
          'precondition',
          'the daemon here serves no dashboard: start it with --dashboard tcp://address:port, or say where there is one with --at',
        )
      process.stdout.write(`${base.replace(/\/$/, '')}/#token=${token}\n`)
    })
  dashboard
    .command('revoke')
    .description('end all sessions, and make all tokens given so far void')
    .option('-H, --host <url>', 'a manager, as with docker')
    .action(async (options: { host?: string }) => {
      const path = '/mure/v1/dashboard/revoke'
      const answer = await new DaemonClient(options.host).stream({ method: 'POST', path })
      answer.resume()
      process.stdout.write('all tokens and sessions of the dashboard are void\n')
    })
}

const askForToken = ({ host, role, ttl }: TokenOptions): Promise<TokenAnswer> =>
  new DaemonClient(host).json<TokenAnswer>({
    method: 'POST',
    path: '/mure/v1/dashboard/token',
    json: { role, ttlMs: ttl },
  })

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function duration(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const ms = Number(count) * (unitMs[unit ?? ''] ?? NaN)
  if (!(ms > 0)) throw new InvalidArgumentError('It is a number with s, m, h or d: 30m, 12h, 7d.')
  return ms
}
