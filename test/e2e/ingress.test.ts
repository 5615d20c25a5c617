import assert from 'node:assert/strict'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { exec } from '#lib/exec.ts'
import { TestCluster, webImage } from '../support/cluster.ts'
import { pebbleFiles } from '../support/pebble.ts'

const root = join(import.meta.dirname, '..', '..')
const busybox = 'registry:5000/busybox:latest'

let cluster: TestCluster
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mure-ingress-'))
  cluster = await TestCluster.up({ name: 'e2eingress', managers: 1, workers: 2 })
  await mure('ingress', 'enable', '--login', 'admin:statistics1')
  await cluster.until('the ingress to run', async () => / running/.test(await mure('ingress', 'status')))
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const mure = (...args: string[]) => cluster.run('manager01', join(root, 'mure'), ...args)
const create = (...args: string[]) => cluster.docker('manager01', 'service', 'create', '-q', '-d', ...args)
const addressOf = (host: string) => cluster.lab.hosts.find(({ name }) => name === host)?.address ?? ''
const curl = (from: string, ...args: string[]) => cluster.run(from, 'curl', '-sS', '-m', '10', ...args)
const servingPid = async () =>
  (JSON.parse(await cluster.run('manager01', 'cat', '/run/mure/ingress/serving.json')) as { pid: number }).pid

/** Different answers of as many tasks, seen from another host. */
async function untilAnswered(host: string, tasks: number): Promise<void> {
  const url = `http://${addressOf('manager01')}/`
  await cluster.until(`${String(tasks)} tasks to answer for ${host}`, async () => {
    const asked = Array.from({ length: tasks * 3 }, () => curl('worker01', '-f', '-H', `Host: ${host}`, url))
    const answers = new Set(await Promise.all(asked))
    return answers.size === tasks || [...answers].join()
  })
}

interface Load {
  readonly outcomes: Readonly<Record<string, number>>
  readonly slowestMs: number
}

let loads = 0

/** Requests without a pause, from another host, from before something happens until after. */
async function underLoad(host: string, happens: () => Promise<void>, through = 'manager01'): Promise<Load> {
  const url = `http://${addressOf(through)}/`
  // Hosts of a lab see the same folders as we.
  const file = join(folder, `load-${String((loads += 1))}`)
  const script = join(root, 'test', 'support', 'http-load.ts')
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', script]
  const load = cluster.run('worker02', ...node, url, host, file, '4')
  const happened = async () => {
    try {
      await cluster.until('the first answer', () => access(`${file}.begun`).then(() => true))
      await happens()
    } finally {
      await writeFile(`${file}.over`, '')
    }
  }
  const [text] = await Promise.all([load, happened()])
  return JSON.parse(text) as Load
}

function assertNoneLost({ outcomes }: Load): void {
  const { again: _, ...rest } = outcomes
  assert.deepEqual(Object.keys(rest), ['200'], JSON.stringify(outcomes))
}

test('a host name leads to all tasks of a service on any host; what is for nobody, to the default', async () => {
  const labels = ['--label', 'mure.ingress.host=web.test', '--label', 'mure.ingress.port=8080']
  await create('--name', 'web', '--replicas', '3', ...labels, webImage)
  await untilAnswered('web.test', 3)
  const url = `http://${addressOf('manager01')}/`
  assert.match(await curl('worker01', '-H', 'Host: other.test', url), /No service is published/)
  await create('--name', 'any', '--env', 'SERVICE_PORTS=8080', webImage)
  await cluster.until('the default route', async () =>
    /Hello/.test(await curl('worker01', '-H', 'Host: other.test', url)),
  )
  assert.match(await mure('ingress', 'routes'), /web\.test +\/ +web +8080 +3/)
})

test('tasks see the address of the client', async () => {
  const show = 'echo; echo "$HTTP_X_FORWARDED_FOR $HTTP_X_FORWARDED_PROTO"'
  const serve = `mkdir -p /www/cgi-bin; printf '#!/bin/sh\\n%s\\n' '${show}' > /www/cgi-bin/who; chmod +x /www/cgi-bin/who; exec httpd -f -p 80 -h /www`
  await create('--name', 'who', '--env', 'VIRTUAL_HOST=who.test', busybox, 'sh', '-c', serve)
  const url = `http://${addressOf('manager01')}/cgi-bin/who`
  await cluster.until('the address of the client', async () => {
    const said = await curl('worker01', '-H', 'Host: who.test', '-H', 'X-Forwarded-For: 6.6.6.6', url)
    return said.trim() === `${addressOf('worker01')} http` || said
  })
})

test('more tasks, other tasks and other routes lose no request; tasks come without a reload', async () => {
  const pid = await servingPid()
  assertNoneLost(
    await underLoad('web.test', async () => {
      await cluster.docker('manager01', 'service', 'scale', '-d', 'web=10')
      await untilAnswered('web.test', 10)
      assert.equal(await servingPid(), pid)
      await cluster.docker('manager01', 'service', 'scale', '-d', 'web=4')
      await cluster.untilRunning('manager01', 'web', 4)
    }),
  )
  assert.equal(await servingPid(), pid)
  assertNoneLost(
    await underLoad('web.test', async () => {
      await cluster.docker(
        'manager01',
        'service',
        'update',
        '-q',
        '--force',
        '--update-parallelism',
        '2',
        'web',
      )
    }),
  )
  assert.equal(await servingPid(), pid)
  assertNoneLost(
    await underLoad('web.test', async () => {
      await cluster.docker(
        'manager01',
        'service',
        'update',
        '-d',
        '--label-add',
        'mure.ingress.b.host=b.test',
        'any',
      )
      await cluster.until('a reload', async () => (await servingPid()) !== pid)
    }),
  )
})

test('the power cut of a host loses no request that may be repeated', async () => {
  await cluster.untilRunning('manager01', 'web', 4)
  const load = await underLoad('web.test', async () => {
    await cluster.powerOff('worker01')
    await cluster.untilRunning('manager01', 'web', 4, 'worker01')
  })
  assertNoneLost(load)
  assert.ok(load.slowestMs < 10_000, `the slowest took ${String(load.slowestMs)} ms`)
  await cluster.start('worker01')
})

test('HAProxy that is killed comes back', async () => {
  const pid = await servingPid()
  await cluster.run('manager01', 'kill', '-9', String(pid))
  await cluster.until('another HAProxy', async () => (await servingPid()) !== pid)
  await untilAnswered('web.test', 4)
})

test('certificates come from secrets; what cannot be done is told, and leaves the rest as it is', async () => {
  const secret = async (name: string, made: string) => {
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const pem = await exec('faketime', [
      ...[made, 'openssl', ...request, '-days', '2', '-keyout', '-'],
      ...['-subj', '/CN=tls.test', '-addext', 'subjectAltName=DNS:tls.test'],
    ])
    await cluster.run('manager01', 'sh', '-c', `printf '%s' '${pem}' | docker secret create ${name} -`)
  }
  await secret('tls.test', '1 minute ago')
  await secret('old.test', '10 days ago')
  const tls = ['--label', 'mure.ingress.host=tls.test', '--label', 'mure.ingress.port=8080']
  await create('--name', 'tls', ...tls, '--label', 'mure.ingress.tls=tls.test', webImage)
  const address = addressOf('manager01')
  const resolve = ['--resolve', `tls.test:443:${address}`, '--resolve', `tls.test:80:${address}`]
  // Whatever answers for all other hosts has no certificate.
  await cluster.until('HTTPS', async () =>
    /Hello/.test(await curl('worker02', '-k', ...resolve, 'https://tls.test/')),
  )
  const redirected = ['-o', '/dev/null', '-w', '%{http_code} %{redirect_url}']
  assert.equal(await curl('worker02', ...redirected, ...resolve, 'http://tls.test/'), '308 https://tls.test/')
  const head = await curl('worker02', '-k', '-I', '--http2', ...resolve, 'https://tls.test/')
  assert.match(head, /^HTTP\/2 200/)
  const labels = (...texts: string[]) => texts.flatMap((text) => ['--label', `mure.ingress.${text}`])
  await create('--name', 'late', ...tls, webImage)
  await create('--name', 'mismatch', ...labels('host=m.test', 'tls=tls.test'), webImage)
  await create('--name', 'expired', ...labels('host=old.test', 'tls=old.test'), webImage)
  await create('--name', 'odd', ...labels('host=odd.test', 'port=many', 'hots=x'), webImage)
  const status = await mure('ingress', 'status')
  assert.match(status, /late: tls\.test is already served by service tls/)
  assert.match(status, /mismatch: tls: secret tls\.test: the certificate is for tls\.test, not for m\.test/)
  assert.match(status, /expired: tls: secret old\.test: the certificate expired on /)
  assert.match(status, /odd: label mure\.ingress\.port: "many" is not a port/)
  assert.match(status, /odd: label mure\.ingress\.hots is not known/)
  await cluster.docker('manager01', 'service', 'rm', 'late', 'mismatch', 'expired', 'odd')
})

test('a certificate comes from an authority by ACME', async () => {
  // In the host, where its questions are answered by the ingress itself.
  const address = addressOf('manager01')
  const pebble = await pebbleFiles({ port: 14_000, httpPort: 80, address })
  const running = cluster.run('manager01', ...pebble.command).catch(() => undefined)
  try {
    await mure('ingress', 'enable', '--acme', pebble.directory, '--acme-trust', pebble.trust)
    const labels = ['host=acme.test', 'port=8080', 'tls=acme'].flatMap((text) => [
      '--label',
      `mure.ingress.${text}`,
    ])
    await create('--name', 'acme', ...labels, webImage)
    const resolve = ['--resolve', `acme.test:443:${address}`]
    await cluster.until(
      'a certificate of the authority',
      async () => {
        const said = await curl('worker02', '-k', '-v', '--stderr', '-', ...resolve, 'https://acme.test/')
        return (/issuer: CN=Pebble/.test(said) && /Hello/.test(said)) || (await mure('ingress', 'status'))
      },
      60_000,
    )
    assert.match(await cluster.docker('manager01', 'secret', 'ls'), /mure-acme-acme\.test/)
    await cluster.until(
      'the answers to the authority to be gone',
      async () => (await cluster.docker('manager01', 'config', 'ls', '-q')) === '',
    )
  } finally {
    await cluster.run('manager01', 'sh', '-c', `kill $(cat ${pebble.folder}/pid)`)
    await running
    await rm(pebble.folder, { recursive: true, force: true })
  }
})

test('the statistics need the login', async () => {
  const url = `http://${addressOf('manager01')}:1936/`
  assert.match(await curl('worker02', '-o', '/dev/null', '-w', '%{http_code}', url), /401/)
  assert.match(await curl('worker02', '-u', 'admin:statistics1', url), /Statistics Report/)
  assert.match(await curl('worker02', '-u', 'admin:statistics1', `${url}metrics`), /haproxy_/)
})

test('a manager with the ingress is lost: others serve, and a login at one dashboard holds at another', async () => {
  await cluster.docker('manager01', 'node', 'promote', 'worker01', 'worker02')
  const other = (...args: string[]) => cluster.run('worker01', join(root, 'mure'), ...args)
  await cluster.until('three nodes of the ingress', async () => {
    const said = await mure('ingress', 'status')
    return said.match(/ running *$/gm)?.length === 3 || said
  })
  const jar = join(folder, 'cookies')
  const token = (await mure('dashboard', 'token')).trim()
  const page = (host: string, path: string, ...args: string[]) =>
    curl('worker02', '-f', '-b', jar, '-c', jar, ...args, `http://${addressOf(host)}:9000${path}`)
  await page(
    'manager01',
    '/api/login',
    '-H',
    'Content-Type: application/json',
    '-d',
    JSON.stringify({ token }),
  )
  const load = await underLoad(
    'web.test',
    async () => {
      await cluster.powerOff('manager01')
      await cluster.untilRunning('worker01', 'web', 4, 'manager01')
    },
    'worker01',
  )
  assertNoneLost(load)
  // Cookies belong to a name, and here each manager has another: as if they had one.
  const [, session = ''] = /\tmure_session\t(\S+)/.exec(await readFile(jar, 'utf8')) ?? []
  const asIfTheSame = ['-H', `Cookie: mure_session=${session}`]
  assert.match(await page('worker01', '/api/session', ...asIfTheSame), /"role":"admin"/)
  const id = await cluster.docker('worker01', 'node', 'inspect', '--format', '{{.ID}}', 'worker02')
  await cluster.until('samples of a node', async () =>
    /\[\[/.test(await page('worker01', `/api/usage/${id}`, ...asIfTheSame)),
  )
  assert.match(await other('ingress', 'status'), /manager01 .* down/)
})

test('disabled, nothing listens any more', async () => {
  await cluster.run('worker01', join(root, 'mure'), 'ingress', 'disable')
  await cluster.until('port 80 to be closed', async () =>
    curl('worker02', `http://${addressOf('worker01')}/`).then(
      () => false,
      () => true,
    ),
  )
})
