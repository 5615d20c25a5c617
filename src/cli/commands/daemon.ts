import type { Command } from 'commander'
import { once } from 'node:events'
import { flushCompileCache } from 'node:module'
import type { DaemonConfig } from '#daemon/config.ts'
import { startMured } from '#daemon/mured.ts'
import { errorText, MureError } from '#lib/errors.ts'
import { jsonLogger } from '#lib/logger.ts'
import type { LogLevel } from '#lib/logger.ts'

interface Options {
  host: string[]
  engine: string
  dataDir: string
  runDir: string
  logLevel: string
  tlsverify?: boolean
  tlscert?: string
  tlskey?: string
  tlscacert?: string
  dashboard?: string
  metrics?: string
  dashboardTlscert?: string
  dashboardTlskey?: string
}

/** By then, everything that a node at rest needs has been loaded. */
const compiledAfterMs = 3_000

const collect = (value: string, before: string[]) => [...before, value]

export function register(program: Command): void {
  program
    .command('daemon')
    .description('run mured in the foreground, beside an engine that already runs')
    .option(
      '-H, --host <url>',
      'where to listen: unix:///path or tcp://address:port (repeatable)',
      collect,
      [],
    )
    .option('--engine <url>', 'the Docker Engine beside us', 'unix:///run/mure/engine.sock')
    .option('--data-dir <dir>', 'what survives a reboot: keys, the store, known managers', '/var/lib/mure')
    .option('--run-dir <dir>', 'what does not: sockets', '/run/mure')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .option('--tlsverify', 'take TCP clients by certificate only')
    .option('--tlscert <file>', 'certificate of the TCP listener')
    .option('--tlskey <file>', 'its key')
    .option('--tlscacert <file>', 'the authority that clients must be certified by')
    .option('--dashboard <url>', 'where browsers find the dashboard: tcp://address:port')
    .option('--metrics <url>', 'where Prometheus finds /metrics: tcp://address:port')
    .option('--dashboard-tlscert <file>', 'its certificate; without one it speaks plain HTTP')
    .option('--dashboard-tlskey <file>', 'the key of that')
    .action(run)
}

async function run(options: Options): Promise<void> {
  const config = configOf(options)
  const logger = jsonLogger((line) => process.stderr.write(line), { level: config.logLevel })
  process.on('unhandledRejection', (reason) => {
    logger.error('a failure that nobody heard', { error: errorText(reason) })
  })
  const daemon = await startMured(config, logger)
  // Kept though this process may be killed: the next one then starts quicker, and without the compiler in memory.
  setTimeout(flushCompileCache, compiledAfterMs).unref()
  process.on('SIGHUP', () => {
    daemon.reload().then(
      () => {
        logger.info('the certificates of the TCP listeners were read again')
      },
      (error: unknown) => {
        logger.error('the certificates of the TCP listeners are as before', { error: errorText(error) })
      },
    )
  })
  const signal = await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  logger.info('mured stops', { signal: String(signal[0]) })
  // Containers run on; only what we hold open is closed, and not for ever.
  const deadline = setTimeout(() => process.exit(1), 8_000)
  deadline.unref()
  await daemon[Symbol.asyncDispose]()
  process.exit(0)
}

function configOf(options: Options): DaemonConfig {
  if (options.host.length === 0) throw new MureError('invalid', 'say where to listen: --host unix:///path')
  const levels: readonly string[] = ['debug', 'info', 'warn', 'error']
  if (!levels.includes(options.logLevel))
    throw new MureError('invalid', `--log-level is one of ${levels.join(', ')}, not "${options.logLevel}"`)
  const { tlscert, tlskey, tlscacert } = options
  if (options.tlsverify === true && tlscacert === undefined)
    throw new MureError(
      'invalid',
      '--tlsverify needs --tlscacert: which authority should clients be certified by?',
    )
  if ((tlscert === undefined) !== (tlskey === undefined))
    throw new MureError('invalid', '--tlscert and --tlskey belong together')
  return {
    hosts: options.host,
    engine: options.engine,
    dataDir: options.dataDir,
    runDir: options.runDir,
    logLevel: options.logLevel as LogLevel,
    ...(tlscert === undefined || tlskey === undefined
      ? {}
      : { tls: { certificate: tlscert, key: tlskey, ca: tlscacert } }),
    ...dashboardOf(options),
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
  }
}

function dashboardOf(options: Options): Pick<DaemonConfig, 'dashboard'> {
  const { dashboard: host, dashboardTlscert: certificate, dashboardTlskey: key } = options
  if ((certificate === undefined) !== (key === undefined))
    throw new MureError('invalid', '--dashboard-tlscert and --dashboard-tlskey belong together')
  if (host === undefined) return {}
  if (certificate === undefined || key === undefined) return { dashboard: { host } }
  return { dashboard: { host, tls: { certificate, key, ca: undefined } } }
}
