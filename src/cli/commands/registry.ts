import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { DaemonClient } from '../client.ts'
import { createRegistry } from '../registry/create.ts'
import type { CreateOptions } from '../registry/create.ts'
import { api, findRegistry, listRegistries, runInside } from '../registry/registry.ts'
import { registryLabel, volumeOf } from '../registry/service-spec.ts'
import { table } from '../table.ts'

const hostOption = ['-H, --host <url>', 'the daemon, as with docker: a manager'] as const

interface HostOption {
  readonly host?: string
}

export function register(program: Command): void {
  const registry = program
    .command('registry')
    .description(
      'A registry in the cluster. Every node knows it as localhost:PORT, which engines trust as it is.',
    )
    .helpCommand(false)
  registerCreate(registry)
  registry
    .command('ls')
    .description('registries, or the images of one')
    .argument('[name]')
    .option(...hostOption)
    .action(list)
  registry
    .command('rm')
    .description(
      'take a registry away; its images stay in their volume, for another "create" of the same name',
    )
    .argument('<name>')
    .option(...hostOption)
    .action(remove)
  registry
    .command('gc')
    .description('remove what no tag refers to any more; pushes are refused meanwhile')
    .argument('[name]')
    .option(...hostOption)
    .action(collectGarbage)
}

function registerCreate(registry: Command): void {
  registry
    .command('create')
    .description('run a registry as a service of one task, with a volume for its images')
    .option('--name <name>', "the service's name", 'registry')
    .option('--port <port>', 'where every node finds it', wholeNumber, 5000)
    .option('--image <image>', 'registry:2, or one that is used in the same way', 'registry:2')
    .option('--node <node>', 'where its images are kept (default: this host)')
    .option('--user <name>', 'ask for a login; the password comes from the standard input')
    .option('--tls-certificate <file>', 'PEM, for clients from elsewhere')
    .option('--tls-key <file>', 'PEM, the key of that certificate')
    .option(
      '--reserve <mebibytes>',
      'refuse pushes while less than this is free on its disk',
      wholeNumber,
      256,
    )
    .option(...hostOption)
    .addHelpText(
      'after',
      '\n  docker push localhost:5000/app                              from any node' +
        '\n  docker service create --with-registry-auth localhost:5000/app    after "docker login localhost:5000"' +
        '\n\nThe reserve is kept by the image that the lab has (registry:5000/registry); registry:2 knows none.',
    )
    .action(async (options: CreateOptions & HostOption) => {
      const made = await createRegistry(new DaemonClient(options.host), options, (text) =>
        process.stderr.write(`${text}\n`),
      )
      say(`registry "${made.name}" runs on ${made.node}; every node knows it as ${made.address}`)
    })
}

const say = (text: string) => process.stdout.write(`${text}\n`)

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is not a whole number.')
  return Number(text)
}

async function list(name: string | undefined, options: HostOption): Promise<void> {
  const client = new DaemonClient(options.host)
  if (name === undefined) {
    const rows = (await listRegistries(client)).map((one) => ({
      NAME: one.name,
      ADDRESS: one.address,
      NODE: one.node,
      STATE: one.error === '' ? one.state : `${one.state}: ${one.error}`,
    }))
    say(table(['NAME', 'ADDRESS', 'NODE', 'STATE'], rows))
    return
  }
  const registry = await findRegistry(client, name)
  const repositories = '/var/lib/registry/docker/registry/v2/repositories'
  const find = `cd ${repositories} 2>/dev/null && find . -path '*/_manifests/tags/*/current/link' || true`
  const found = (await runInside(client, registry, ['sh', '-c', find]))
    .split('\n')
    .map((line) => /^\.\/(.+)\/_manifests\/tags\/(.+)\/current\/link$/.exec(line))
    .filter((match) => match !== null)
    .map(([, repository, tag]) => `${registry.address}/${repository ?? ''}:${tag ?? ''}`)
  for (const image of found.sort()) say(image)
}

async function remove(name: string, options: HostOption): Promise<void> {
  const client = new DaemonClient(options.host)
  const registry = await findRegistry(client, name)
  await client.send({ method: 'DELETE', path: `${api}/services/${registry.id}` })
  const secrets = await client.json<{ ID: string }[]>({
    method: 'GET',
    path: `${api}/secrets`,
    query: { filters: JSON.stringify({ label: [`${registryLabel}=${name}`] }) },
  })
  for (const { ID } of secrets) await client.send({ method: 'DELETE', path: `${api}/secrets/${ID}` })
  say(`registry "${name}" is gone; its images are still in the volume ${volumeOf(name)} on ${registry.node}`)
}

/** The lab's image refuses pushes meanwhile; registry:2 does not, and must not be pushed to. */
const collect =
  'if [ -x /bin/collect-garbage ]; then exec /bin/collect-garbage; ' +
  'else exec registry garbage-collect --delete-untagged /etc/docker/registry/config.yml; fi'

async function collectGarbage(name: string | undefined, options: HostOption): Promise<void> {
  const client = new DaemonClient(options.host)
  const registry = await findRegistry(client, name)
  const output = await runInside(client, registry, ['sh', '-c', collect])
  const deleted = output.split('\n').filter((line) => /blob eligible for deletion/.test(line)).length
  say(`${registry.name}: ${String(deleted)} blobs removed`)
}
