import type { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { MureError } from '#lib/errors.ts'
import type { IngressChange, IngressState } from '#manager/control/ingress.ts'
import { describeMatch } from '#model/ingress/routes.ts'
import { letsEncryptDirectory } from '#model/ingress/settings.ts'
import { DaemonClient } from '../client.ts'
import { table } from '../table.ts'

const path = '/mure/v1/ingress'

interface EnableOptions {
  readonly host?: string
  readonly httpPort?: string
  readonly httpsPort?: string
  readonly statisticsPort?: string
  readonly nodes?: readonly string[]
  readonly login?: string
  readonly certificates?: string
  readonly proxyProtocol?: string
  readonly acme?: string | true
  readonly acmeEmail?: string
  readonly acmeTrust?: string
  readonly accessLog?: boolean
}

const examples = `
A service is reached by its labels (docker service create --label …, or deploy.labels in a compose file):
  mure.ingress.host=app.example.com    requests for this host; several by commas; *.example.com
  mure.ingress.path=/api               and only below this path
  mure.ingress.port=8080               the port its tasks listen at (default: the one it publishes, or 80)
  mure.ingress.tls=SECRET|acme|true    a certificate from a secret, by ACME, or from --certificates
  mure.ingress.sticky=true             a visitor stays with one task
  mure.ingress.healthcheck=/health     a path that a task answers while it is well
  mure.ingress.rate-limit=100/s        of each client address
  mure.ingress.protocol=h2c|https      tasks speak HTTP/2 without TLS, as gRPC does, or HTTPS
  mure.ingress.rewrite=/               what tasks see in place of the path above
  mure.ingress.allow=10.0.0.0/8        only clients from there
  mure.ingress.without-tls=serve       or refuse; by default such requests are sent to HTTPS
VIRTUAL_HOST, SERVICE_PORTS, com.df.*, traefik.http.routers.*.rule and caddy labels are understood too.`

export function register(program: Command): void {
  const ingress = program
    .command('ingress')
    .description('the HTTP ingress: an HAProxy on chosen nodes, configured by the labels of services')
    .addHelpText('after', examples)
  const command = (name: string, description: string) =>
    ingress.command(name).description(description).option('-H, --host <url>', 'the daemon, as with docker')

  command('enable', 'run it, or change how it runs')
    .option('--http-port <port>', 'default 80')
    .option('--https-port <port>', 'default 443; it is listened at once there is a certificate')
    .option('--statistics-port <port>', 'default 1936')
    .option('--nodes <constraint...>', 'which nodes run it, as in placement (default: node.role==manager)')
    .option('--login <user:password>', 'for the statistics page (default: admin and a password that is made)')
    .option('--certificates <folder>', 'PEM files on each of those nodes')
    .option('--acme [directory]', "certificates by ACME from this authority (default: Let's Encrypt)")
    .option('--acme-email <address>', 'where the authority writes to')
    .option('--acme-trust <file>', 'the root certificate (PEM) of an authority of your own')
    .option(
      '--proxy-protocol <networks>',
      "load balancers in front, which tell the client's address by the PROXY protocol (10.0.0.5,10.1.0.0/16; none)",
    )
    .option('--no-access-log', 'write no access log')
    .action(async (options: EnableOptions) => {
      const client = new DaemonClient(options.host)
      await client.json<IngressState>({ method: 'POST', path, json: await changeOf(options) })
      await show(client)
    })

  command('disable', 'run it no more; its settings stay').action(async (options: { host?: string }) => {
    await new DaemonClient(options.host).json({ method: 'POST', path, json: { enabled: false } })
    process.stdout.write('the HTTP ingress is disabled\n')
  })

  command('status', 'where it runs, and what is wrong').action(async (options: { host?: string }) => {
    await show(new DaemonClient(options.host))
  })

  command('routes', 'which hosts and paths lead to which service')
    .option('--json', 'for programs')
    .action(async (options: { host?: string; json?: boolean }) => {
      const state = await new DaemonClient(options.host).json<IngressState>({ method: 'GET', path })
      process.stdout.write(
        options.json === true ? `${JSON.stringify(state, null, 2)}\n` : `${routesTable(state)}\n`,
      )
    })
}

async function changeOf(options: EnableOptions): Promise<IngressChange> {
  const port = (text: string | undefined) => (text === undefined ? undefined : Number(text))
  const [user, ...password] = (options.login ?? '').split(':')
  if (options.login !== undefined && password.length === 0)
    throw new MureError('invalid', '--login is USER:PASSWORD')
  const change = {
    enabled: true,
    httpPort: port(options.httpPort),
    httpsPort: port(options.httpsPort),
    statisticsPort: port(options.statisticsPort),
    nodes: options.nodes,
    login: options.login === undefined ? undefined : { user: user ?? '', password: password.join(':') },
    certificateFolder: options.certificates,
    proxiesFrom: networksOf(options.proxyProtocol),
    // Said only when it is refused: a change leaves the rest as it was.
    accessLog: options.accessLog === false ? false : undefined,
    acme:
      options.acme === undefined
        ? undefined
        : {
            directory: options.acme === true ? letsEncryptDirectory : options.acme,
            ...(options.acmeEmail === undefined ? {} : { email: options.acmeEmail }),
            ...(options.acmeTrust === undefined ? {} : { trust: await readFile(options.acmeTrust, 'utf8') }),
          },
  }
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
}

const networksOf = (text: string | undefined) =>
  text === undefined ? undefined : text === 'none' ? [] : text.split(',').map((one) => one.trim())

async function show(client: DaemonClient): Promise<void> {
  const state = await client.json<IngressState>({ method: 'GET', path })
  if (!state.enabled) {
    process.stdout.write('the HTTP ingress is disabled; "mure ingress enable" runs it\n')
    return
  }
  const login = await client.json<{ user: string; password: string } | null>({
    method: 'GET',
    path: `${path}/login`,
  })
  const rows = state.nodes.map(({ hostname, address, state: is, problems }) => ({
    NODE: hostname,
    ADDRESS: address,
    STATE: is,
    PROBLEM: problems.join('; '),
  }))
  const problems = state.problems.map(({ serviceName, message }) => `  ${serviceName}: ${message}`)
  const lines = [
    `HTTP at port ${String(state.httpPort)}, HTTPS at ${String(state.httpsPort)}, ${String(state.routes.length)} routes`,
    `statistics at port ${String(state.statisticsPort)}, login ${login?.user ?? ''} ${login?.password ?? ''}`,
    table(['NODE', 'ADDRESS', 'STATE', 'PROBLEM'], rows),
    ...(problems.length === 0 ? [] : ['Services with problems:', ...problems]),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function routesTable({ routes }: IngressState): string {
  const rows = routes.flatMap(({ matches, serviceName, port, isSecure, targets }) =>
    matches.map((match) => ({
      HOST: describeMatch({ ...match, path: '/' }),
      PATH: match.path,
      SERVICE: serviceName,
      PORT: String(port),
      TLS: isSecure ? 'yes' : '',
      TASKS: String(targets),
    })),
  )
  return table(['HOST', 'PATH', 'SERVICE', 'PORT', 'TLS', 'TASKS'], rows)
}
