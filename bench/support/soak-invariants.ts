import { join } from 'node:path'
import type { TestCluster } from '../../test/support/cluster.ts'
import type { SoakWork } from './soak-work.ts'

const mure = join(import.meta.dirname, '../../mure')
const attempts = 6
const names = ['web', 'back', 'everywhere', 'tasks.web', 'tasks.back', 'tasks.everywhere']

interface ShownTask {
  readonly ID: string
  readonly ServiceID: string
  readonly Slot?: number
  readonly NodeID?: string
  readonly DesiredState: string
  readonly Status: { readonly State: string; readonly ContainerStatus?: { readonly ContainerID: string } }
  readonly NetworksAttachments?: readonly { readonly Addresses?: readonly string[] }[]
}

/** All that is not as it should be, in words. The ways of the network are tried once everything runs. */
export async function wrongWith(cluster: TestCluster, work: SoakWork): Promise<string[]> {
  const tasks = (await asked(cluster, '/tasks')) as ShownTask[]
  const running = tasks.filter((task) => task.Status.State === 'running' && task.DesiredState === 'running')
  const wrong = [
    ...(await wrongNodes(cluster)),
    ...(await wrongServices(cluster, work)),
    ...(await wrongContainers(cluster, work, running)),
    ...twice('slot', running.map(slotOf)),
    ...twice('address', running.flatMap(addressesOf)),
    ...(await lost(cluster, work)),
  ]
  if (wrong.length > 0) return wrong
  return [
    ...(await silentPorts(cluster, work)),
    ...(await silentNames(cluster, work)),
    ...(await illness(cluster)),
  ]
}

const asked = async (cluster: TestCluster, path: string): Promise<unknown> =>
  JSON.parse(
    await cluster.run(
      'manager01',
      'curl',
      '-sS',
      '--unix-socket',
      '/var/run/docker.sock',
      `http://docker${path}`,
    ),
  )

const slotOf = ({ ServiceID, Slot, NodeID }: ShownTask): string => `${ServiceID}.${String(Slot ?? NodeID)}`
const addressesOf = ({ NetworksAttachments }: ShownTask): readonly string[] =>
  (NetworksAttachments ?? []).flatMap(({ Addresses }) => Addresses ?? [])

const twice = (what: string, all: readonly string[]): string[] =>
  all.filter((one, index) => all.indexOf(one) !== index).map((one) => `${what} ${one} is there twice`)

async function wrongNodes(cluster: TestCluster): Promise<string[]> {
  return [...(await cluster.nodes('manager01'))]
    .filter(([, { status, manager }]) => status !== 'Ready' || manager === 'Unreachable')
    .map(([host, { status, manager }]) => `${host} is ${status} ${manager}`)
}

async function wrongServices(cluster: TestCluster, work: SoakWork): Promise<string[]> {
  const listed = await cluster.docker('manager01', 'service', 'ls', '--format', '{{.Name}} {{.Replicas}}')
  const format = '{{.Spec.Name}} {{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}'
  const updates = await cluster.docker(
    'manager01',
    ...['service', 'inspect', '--format', format, 'web', 'back', 'everywhere'],
  )
  const wanted = (name: string) => work.replicas.get(name) ?? work.hosts.length
  return [
    ...listed.split('\n').filter((line) => {
      const [name = '', replicas = ''] = line.split(' ')
      return replicas !== `${String(wanted(name))}/${String(wanted(name))}`
    }),
    // One that was paused by a task that failed waits for a person.
    ...updates.split('\n').filter((line) => line.endsWith(' updating')),
  ]
}

/** Each task's container runs on one host, and no other container of tasks does. */
async function wrongContainers(
  cluster: TestCluster,
  work: SoakWork,
  tasks: readonly ShownTask[],
): Promise<string[]> {
  const format = '{{.Label "com.docker.swarm.task.id"}}'
  const found: string[] = []
  for (const host of work.hosts) {
    const engine = ['docker', '-H', 'unix:///run/mure/engine.sock']
    const text = await cluster.run(
      host,
      ...[...engine, 'ps', '--filter', 'label=com.docker.swarm.task.id', '--format', format],
    )
    found.push(...text.split('\n').filter((line) => line !== ''))
  }
  const ids = tasks.map(({ ID }) => ID)
  return [
    ...found.filter((id) => !ids.includes(id)).map((id) => `a container of ${id} should not run`),
    ...ids.filter((id) => !found.includes(id)).map((id) => `${id} has no container`),
    ...twice('container', found),
  ]
}

async function lost(cluster: TestCluster, { configs }: SoakWork): Promise<string[]> {
  const there = (await cluster.docker('manager02', 'config', 'ls', '--format', '{{.Name}}')).split('\n')
  return configs
    .filter((name) => !there.includes(name))
    .map((name) => `${name} was acknowledged, and is lost`)
}

async function silentPorts(cluster: TestCluster, { hosts }: SoakWork): Promise<string[]> {
  const wrong: string[] = []
  for (const host of hosts)
    for (let count = 0; count < attempts; count++) {
      const said = await cluster.run(
        host,
        ...['sh', '-c', 'curl -sS -m 2 -o /dev/null -w "%{http_code}" http://127.0.0.1:8080/ 2>&1 || true'],
      )
      if (!said.startsWith('200')) wrong.push(`the port at ${host}: ${said.trim()}`)
    }
  return wrong
}

/** Asked in one container of each host. */
async function silentNames(cluster: TestCluster, { hosts }: SoakWork): Promise<string[]> {
  const wrong: string[] = []
  for (const host of hosts) {
    const container = await cluster.run(host, 'docker', 'ps', '-q', '--filter', 'name=everywhere')
    for (const name of names) {
      const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 ${name} 8080 | head -n 1`
      const said = await cluster.run(
        host,
        ...['sh', '-c', `docker exec ${container.trim()} sh -c "${ask}" 2>&1 || true`],
      )
      if (!said.includes('200 OK')) wrong.push(`${name} from ${host}: ${said.trim()}`)
    }
  }
  return wrong
}

async function illness(cluster: TestCluster): Promise<string[]> {
  const said = await cluster.run('manager01', 'sh', '-c', `${mure} network doctor 2>&1 || echo "not well"`)
  return said.includes('not well') ? [said] : []
}
