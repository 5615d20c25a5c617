import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster
let folder: string
const busybox = 'registry:5000/busybox:latest'

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mure-stack-'))
  cluster = await TestCluster.up({ name: 'e2estacks', managers: 2, workers: 1 })
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const stackFile = (replicas: number): string => `
version: "3.8"
services:
  web:
    image: ${webImage}
    ports: ["8085:8080"]
    networks: [front]
    secrets: [password]
    deploy: {replicas: ${String(replicas)}}
  cli:
    image: ${busybox}
    command: sleep 100000
    stop_grace_period: 0s
    networks: [front]
    deploy: {placement: {constraints: [node.hostname==manager01]}}
networks: {front: {}}
secrets: {password: {file: ./password}}
`

async function deploy(replicas: number): Promise<void> {
  await writeFile(join(folder, 'password'), 's3cret')
  await writeFile(join(folder, 'app.yml'), stackFile(replicas))
  await cluster.docker('manager01', 'stack', 'deploy', '-c', join(folder, 'app.yml'), 'app')
}

const names = async (kind: string): Promise<string[]> =>
  (await cluster.docker('manager02', kind, 'ls', '--format', '{{.Name}}'))
    .split('\n')
    .filter((one) => one.startsWith('app_'))

test('a stack comes up with its network, names, secret and port; again, only the difference is made', async () => {
  await deploy(2)
  await cluster.untilRunning('manager01', 'app_web', 2)
  await cluster.untilRunning('manager01', 'app_cli', 1)
  const services = await cluster.docker(
    'manager01',
    'stack',
    'services',
    'app',
    '--format',
    '{{.Name}} {{.Replicas}} {{.Ports}}',
  )
  assert.deepEqual(services.split('\n').sort(), ['app_cli 1/1 ', 'app_web 2/2 *:8085->8080/tcp'])
  const id = await cluster.docker('manager01', 'ps', '-q', '--filter', 'name=app_cli')
  assert.match(await cluster.docker('manager01', 'exec', id, 'nslookup', 'web'), /Name:\s+web/)
  assert.match(await cluster.run('worker01', 'curl', '-sS', '-m', '3', 'http://127.0.0.1:8085/'), /Hello/)
  const tasks = async () => (await cluster.docker('manager01', 'stack', 'ps', '-q', 'app')).split('\n').sort()
  const before = await tasks()
  assert.equal(before.length, 3)
  await deploy(3)
  await cluster.untilRunning('manager01', 'app_web', 3)
  const after = await tasks()
  assert.ok(before.every((task) => after.includes(task)))
  assert.equal(after.length, 4)
})

test('removed, nothing is left; removed and deployed at once, it comes up, over and over', async () => {
  for (let round = 0; round < 5; round++) {
    await cluster.docker('manager01', 'stack', 'rm', 'app')
    await deploy(2)
  }
  await cluster.untilRunning('manager01', 'app_web', 2)
  await cluster.docker('manager01', 'stack', 'rm', 'app')
  for (const kind of ['service', 'network', 'secret', 'config']) assert.deepEqual(await names(kind), [], kind)
  for (const host of ['manager01', 'manager02', 'worker01'])
    await cluster.until(`${host} to be clean`, async () => {
      const left = await cluster.docker(host, 'ps', '-aq')
      const links = await cluster.run(host, 'ip', '-br', 'link')
      return (left === '' && !/mu[bx]/.test(links)) || `${left} ${links}`
    })
})

test('a manager reaches the containers of tasks on other hosts, by their ids and names, as if they were its own', async () => {
  await cluster.docker(
    'manager01',
    'service',
    'create',
    '-q',
    '--name',
    'far',
    '--constraint',
    'node.role==worker',
    webImage,
  )
  const id = await cluster.docker('worker01', 'ps', '-q', '--no-trunc', '--filter', 'name=far')
  const name = await cluster.docker('worker01', 'ps', '--format', '{{.Names}}', '--filter', 'name=far')
  for (const host of ['manager01', 'manager02']) {
    assert.equal(await cluster.docker(host, 'inspect', '--format', '{{.Name}}', id), `/${name}`)
    assert.equal(await cluster.docker(host, 'exec', id.slice(0, 12), 'hostname'), id.slice(0, 12))
    assert.equal(await cluster.run(host, 'sh', '-c', `echo hello | docker exec -i ${name} cat`), 'hello\n')
    assert.match(await cluster.run(host, 'sh', '-c', `docker exec ${name} sh -c 'exit 3'; echo $?`), /3/)
    assert.match(await cluster.docker(host, 'top', name), /httpd/)
    assert.match(
      await cluster.run(host, 'sh', '-c', `docker cp ${name}:/etc/hostname - | tar -xO`),
      new RegExp(id.slice(0, 12)),
    )
  }
  assert.match(await cluster.refused('manager01', 'logs', 'nothing'), /No such container: nothing/)
  await cluster.docker('manager01', 'service', 'rm', 'far')
})

test('logs that are followed go on where they broke off', async () => {
  await cluster.docker(
    'manager01',
    ...['service', 'create', '-q', '--name', 'tick', '--constraint', 'node.hostname==worker01', busybox],
    ...['sh', '-c', 'i=0; while :; do i=$((i+1)); echo "tick $i"; sleep 0.2; done'],
  )
  const follow = 'docker service logs -f --raw tick >/run/tick.log 2>&1 </dev/null & echo $! >/run/tick.pid'
  await cluster.run('manager02', 'sh', '-c', follow)
  const told = async () => {
    const text = await cluster.run('manager02', 'cat', '/run/tick.log')
    return [...text.matchAll(/^tick (\d+)$/gm)].map(([, number]) => Number(number))
  }
  const untilTold = (least: number) =>
    cluster.until(`tick ${String(least)} to be told`, async () => {
      const last = (await told()).at(-1) ?? 0
      return last >= least || String(last)
    })
  await untilTold(3)
  await cluster.run('worker01', 'sh', '-c', 'kill -9 $(cat /run/mured.pid)')
  const before = (await told()).at(-1) ?? 0
  await untilTold(before + 15)
  const numbers = await told()
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  )
  await cluster.run('manager02', 'sh', '-c', 'kill $(cat /run/tick.pid)')
  await cluster.docker('manager01', 'service', 'rm', 'tick')
})

test('logs of all tasks are one, in order, through any manager; a host that is down is a warning', async () => {
  await cluster.docker(
    'manager01',
    ...['service', 'create', '-q', '--name', 'talk', '--mode', 'global', busybox],
    ...[
      'sh',
      '-c',
      'for i in 1 2 3; do echo "out $i"; sleep 0.2; done; echo "problem" >&2; exec sleep 100000',
    ],
  )
  const all = () => cluster.docker('manager02', 'service', 'logs', '--timestamps', 'talk')
  await cluster.until('all to have spoken', async () => {
    const lines = (await all()).split('\n')
    return lines.filter((line) => / out \d/.test(line)).length === 9 || String(lines.length)
  })
  const times = (await all()).split('\n').map((line) => line.split(' ')[0] ?? '')
  assert.deepEqual(times, [...times].sort())
  const [task] = (await cluster.docker('manager01', 'service', 'ps', '-q', 'talk')).split('\n')
  const last = await cluster.docker('manager02', 'service', 'logs', '--raw', '--tail', '2', task ?? '')
  assert.equal(last.trim(), 'out 3')
  await cluster.powerOff('worker01')
  const said = await cluster.run('manager01', 'sh', '-c', 'docker service logs talk 2>&1')
  assert.match(said, /@worker01\s+\| warning: incomplete log stream/)
  assert.match(said, /@manager02\s+\| out 3/)
})
