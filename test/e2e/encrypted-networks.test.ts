import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { sleep } from '#lib/wait.ts'
import { wireOf } from '#lab/record.ts'
import { TestCluster } from '../support/cluster.ts'

const busybox = 'registry:5000/busybox:latest'
/** What every packet of the pings carries. */
const mark = 'aaaaaaaaaaaaaaaa'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2eencrypt', managers: 1, workers: 1 })
})
after(() => cluster[Symbol.asyncDispose]())

const start = (host: string, name: string, network: string) =>
  cluster.docker(host, 'run', '-d', '--name', name, '--network', network, busybox, 'sleep', '10000')
const ping = (name: string, options = '-c 3') =>
  cluster.docker(
    'manager01',
    'exec',
    'one',
    'sh',
    '-c',
    `ping -W 1 -p aa -s 64 ${options} ${name} 2>&1 || true`,
  )

/** What passes between the hosts meanwhile, in hexadecimal. */
async function onTheWire(work: () => Promise<unknown>): Promise<string> {
  const args = ['netns', 'exec', wireOf(cluster.lab.name), 'tcpdump', '-i', 'br0', '-n', '-x', '-l', 'udp']
  const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let seen = ''
  child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()))
  await once(child.stderr, 'data')
  const closed = once(child, 'close')
  try {
    await work()
    // What was written last is still on its way here.
    await sleep(500)
  } finally {
    child.kill('SIGINT')
    await closed
  }
  return seen
}

const payload = (seen: string) => seen.replaceAll(/^\s+0x\w+:\s+|\s/gm, '')

test('what is on an encrypted network cannot be read between hosts', async () => {
  await cluster.docker(
    'manager01',
    ...['network', 'create', '-d', 'overlay', '--attachable', '--opt', 'encrypted', 'secret'],
  )
  await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', '--attachable', 'plain')
  await start('manager01', 'one', 'secret')
  await start('worker01', 'two', 'secret')
  await cluster.until('the first packet to arrive', async () => {
    const said = await ping('two', '-c 1')
    return / 0% packet loss/.test(said) || said
  })
  const seen = await onTheWire(async () => {
    assert.match(await ping('two'), / 0% packet loss/)
  })
  assert.match(seen, /\.51830: UDP/)
  assert.doesNotMatch(seen, /\.4789: /)
  assert.ok(!payload(seen).includes(mark))

  // The same on a network that is not: the test sees what there is to see.
  await start('worker01', 'three', 'plain')
  await cluster.docker('manager01', 'rm', '-f', 'one')
  await start('manager01', 'one', 'plain')
  await cluster.until('the first packet to arrive', async () =>
    / 0% packet loss/.test(await ping('three', '-c 1')),
  )
  assert.ok(payload(await onTheWire(() => ping('three'))).includes(mark))
  await cluster.docker('manager01', 'rm', '-f', 'one')
  await start('manager01', 'one', 'secret')
  await cluster.until('the packets to arrive again', async () =>
    / 0% packet loss/.test(await ping('two', '-c 1')),
  )
})

test('without its encrypted tunnels a network is silent', async () => {
  const device = /muw\w+/.exec(await cluster.run('manager01', 'ip', '-o', 'link'))?.[0] ?? ''
  const pid = await cluster.docker('manager01', 'inspect', '-f', '{{.State.Pid}}', 'one')
  const address = /\((\S+)\)/.exec(await ping('two', '-c 1'))?.[1] ?? ''
  // mured is held meanwhile, as it would put the device back.
  const line = [
    `mured=$(pgrep -f '[c]li/main.ts daemon'); kill -STOP $mured; ip link set ${device} down`,
    `nsenter -t ${pid} -n busybox ping -W 1 -p aa -s 64 -c 2 ${address} 2>&1; kill -CONT $mured`,
  ].join('; ')
  const seen = await onTheWire(async () => {
    assert.match(await cluster.run('manager01', 'sh', '-c', line), /100% packet loss/)
  })
  assert.ok(!payload(seen).includes(mark))
  await cluster.until('the device to be put back', async () =>
    / 0% packet loss/.test(await ping('two', '-c 1')),
  )
})

test('a host that has a new key is heard again at once', async () => {
  const key = () => cluster.run('worker01', 'sh', '-c', 'wg show all public-key')
  const before = await key()
  await cluster.run(
    'worker01',
    'sh',
    '-c',
    `rm /var/lib/mure/tunnel-key.json; kill -9 $(pgrep -f '[c]li/main.ts daemon')`,
  )
  await cluster.until('a new key', async () => (await key()) !== before)
  await cluster.until('the others to speak with it', async () =>
    / 0% packet loss/.test(await ping('two', '-c 1')),
  )
})

test('where a host cannot encrypt, an encrypted network is refused; and nothing is left of the last', async () => {
  await cluster.docker('manager01', 'rm', '-f', 'one')
  await cluster.docker('worker01', 'rm', '-f', 'two', 'three')
  for (const network of ['secret', 'plain'])
    await cluster.until(`${network} to be free`, () =>
      cluster.docker('manager01', 'network', 'rm', network).then(() => true),
    )
  for (const host of ['manager01', 'worker01'])
    await cluster.until(`${host} to have no device left`, async () => {
      const links = await cluster.run(host, 'ip', '-br', 'link')
      return !/mu[bxw]/.test(links) || links
    })
  await cluster.run('worker01', 'mount', '--bind', '/dev/null', '/usr/bin/wg')
  await cluster.run('worker01', 'sh', '-c', `kill -9 $(pgrep -f '[c]li/main.ts daemon')`)
  const create = ['network', 'create', '-d', 'overlay', '--opt', 'encrypted', 'x']
  await cluster.until('the cluster to know of it', async () => {
    const said = await cluster.refused('manager01', ...create).catch(async () => {
      await cluster.docker('manager01', 'network', 'rm', 'x')
      return ''
    })
    return /needs WireGuard on every node.*worker01/.test(said) || said
  })
})
