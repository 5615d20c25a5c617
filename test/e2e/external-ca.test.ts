import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2ecfssl', managers: 1, workers: 2 })
})
after(() => cluster[Symbol.asyncDispose]())

const folder = '/var/lib/mure/authority'

/** A real cfssl beside the manager, with an authority of its own that the cluster has no key of. */
async function startAuthority(): Promise<void> {
  const files = {
    'request.json': { CN: 'outside-ca', key: { algo: 'ecdsa', size: 256 }, ca: { expiry: '87600h' } },
    'config.json': {
      signing: {
        default: { expiry: '2160h', usages: ['signing', 'key encipherment', 'server auth', 'client auth'] },
        profiles: {
          CA: { expiry: '8760h', usages: ['cert sign', 'crl sign'], ca_constraint: { is_ca: true } },
        },
      },
    },
  }
  const write = Object.entries(files).map(([name, content]) => `echo '${JSON.stringify(content)}' > ${name}`)
  await cluster.run(
    'manager01',
    'sh',
    '-ec',
    `mkdir -p ${folder} && cd ${folder}
     ${write.join('\n')}
     cfssl genkey -initca request.json 2>/dev/null | cfssljson -bare ca
     exec setsid cfssl serve -address 127.0.0.1 -port 8888 -ca ca.pem -ca-key ca-key.pem -config config.json \
       >serve.log 2>&1 </dev/null &`,
  )
  await cluster.until('cfssl to listen', () =>
    cluster.run('manager01', 'sh', '-c', 'ss -ltn | grep -q :8888').then(() => true),
  )
}

const outside = [
  `--ca-cert=${folder}/ca.pem`,
  `--external-ca=protocol=cfssl,url=http://127.0.0.1:8888/api/v1/cfssl/sign,cacert=${folder}/ca.pem`,
]
const inManager = (...args: string[]) => cluster.docker('manager01', ...args)
const issuers = () =>
  inManager('node', 'ls', '--format', '{{.Hostname}} {{.Status}} {{.TLSStatus}}').then((text) =>
    text.split('\n').sort(),
  )
const ready = ['manager01', 'worker01', 'worker02'].map((host) => `${host} Ready Ready`)

test('an external CA that does not answer is not taken', async () => {
  await cluster.run('manager01', 'mkdir', '-p', folder)
  await startAuthority()
  const nowhere = outside.map((flag) => flag.replace(':8888', ':8889'))
  assert.match(
    await cluster.refused('manager01', 'swarm', 'ca', '--rotate', '-q', ...nowhere),
    /there must be at least one valid, reachable external CA corresponding to the desired CA certificate/,
  )
})

test('every node gets a certificate that the external CA has signed, and new ones join by it', async () => {
  await inManager('swarm', 'ca', '--rotate', '-q', ...outside)
  const root = await inManager('swarm', 'ca')
  assert.equal(root.trim(), (await cluster.run('manager01', 'cat', `${folder}/ca.pem`)).trim())
  assert.deepEqual(await issuers(), ready)
  await cluster.docker('worker02', 'swarm', 'leave')
  await inManager('node', 'rm', '--force', 'worker02')
  const token = await inManager('swarm', 'join-token', '-q', 'manager')
  const address = await inManager('node', 'inspect', '-f', '{{.ManagerStatus.Addr}}', 'self')
  // A manager needs two of them: its own, and that of its member of the store.
  await cluster.docker('worker02', 'swarm', 'join', '--token', token, address)
  await cluster.until('worker02 to be a manager', async () => {
    const nodes = await cluster.nodes('manager01')
    return nodes.get('worker02')?.manager === 'Reachable' || JSON.stringify([...nodes])
  })
  await cluster.docker('worker02', 'service', 'ls')
})

test('the cluster takes the authority back: the external CA vouches for the new root', async () => {
  await inManager('swarm', 'ca', '--rotate', '-q')
  assert.doesNotMatch(await inManager('swarm', 'ca'), new RegExp('^$'))
  assert.notEqual(
    (await inManager('swarm', 'ca')).trim(),
    (await cluster.run('manager01', 'cat', `${folder}/ca.pem`)).trim(),
  )
  assert.deepEqual(await issuers(), ready)
})
