import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { listen } from '#api/http/listen.ts'
import type { Listener } from '#api/http/listen.ts'
import { exec } from '#lib/exec.ts'
import { call } from './http.ts'
import { startFacadeHost } from './host.ts'

const hello: Listener = {
  onRequest: (_message, response) => response.end('hello'),
  mayUpgrade: () => false,
  onUpgrade: (_message, socket) => socket.destroy(),
}

describe('listeners', { timeout: 120_000 }, () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mure-listen-'))
  })
  after(async () => {
    await rm(folder, { recursive: true })
  })

  test('a socket of a dead daemon is replaced, of a living one respected, a file left alone', async () => {
    const path = join(folder, 'docker.sock')
    // A process that dies without closing leaves its socket behind.
    await exec('python3', [
      '-c',
      `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(path)})`,
    ])
    {
      await using _listening = await listen(`unix://${path}`, hello)
      assert.equal((await call(path, 'GET', '/')).text, 'hello')
      assert.equal((await stat(path)).mode & 0o777, 0o660)
      await assert.rejects(listen(`unix://${path}`, hello), /another daemon already listens/)
      assert.equal((await call(path, 'GET', '/')).text, 'hello')
    }
    await assert.rejects(stat(path))
    const file = join(folder, 'file')
    await writeFile(file, 'precious')
    await assert.rejects(listen(`unix://${file}`, hello), /it is not a socket/)
  })

  test('plain TCP is for loopback only', async () => {
    await assert.rejects(listen('tcp://0.0.0.0:0', hello), /--tlsverify/)
    await using listening = await listen('tcp://127.0.0.1:0', hello)
    assert.equal(listening.host.kind, 'tcp')
  })

  test('mutual TLS: with a certificate everything works, without none', async () => {
    const files = await makeCertificates(folder)
    const tls = { certificate: files.serverCert, key: files.serverKey, ca: files.ca }
    await using host = await startFacadeHost({ tcp: 'tcp://127.0.0.1:0', tls })
    const bound = host.facade.listening[1]?.host
    assert.ok(bound?.kind === 'tcp')
    const env = { DOCKER_HOST: `tcp://127.0.0.1:${String(bound.portNumber)}` }
    const verify = ['--tlsverify', '--tlscacert', files.ca]
    const own = [...verify, '--tlscert', files.clientCert, '--tlskey', files.clientKey]
    const input = Buffer.alloc(1_000_000, 'y')
    const counted = await host.run('docker', [...own, 'run', '-i', '--rm', 'busybox', 'wc', '-c'], {
      env,
      input,
    })
    assert.equal(counted.stdout.trim(), '1000000', counted.stderr)
    await host.facade.reload()
    const saved = await host.run('sh', ['-c', `docker ${own.join(' ')} save busybox | tar -t | wc -l`], {
      env,
    })
    assert.ok(Number(saved.stdout) > 3, saved.stderr)
    const stranger = await host.run('docker', [...verify, 'version'], { env })
    assert.notEqual(stranger.exitCode, 0)
    assert.match(stranger.stderr, /certificate required|bad certificate|client certificate/)
    // Plain bytes at a TLS port are nobody's crash.
    const plain = connect(bound.portNumber, '127.0.0.1')
    plain.on('error', () => undefined)
    plain.write('GET / HTTP/1.1\r\n\r\n')
    await new Promise((resolve) => plain.once('close', resolve))
    assert.equal((await host.run('docker', [...own, 'version'], { env })).exitCode, 0)
  })
})

async function makeCertificates(folder: string) {
  const at = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => exec('openssl', args)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  await openssl(
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=authority',
    '-keyout',
    at('ca-key.pem'),
    '-out',
    at('ca.pem'),
  )
  for (const name of ['server', 'client']) {
    await openssl(
      'req',
      ...key.slice(0, -2),
      '-subj',
      `/CN=${name}`,
      '-keyout',
      at(`${name}-key.pem`),
      '-out',
      at(`${name}.csr`),
    )
    const usage = name === 'server' ? 'serverAuth\nsubjectAltName=IP:127.0.0.1' : 'clientAuth'
    await writeFile(at(`${name}.ext`), `extendedKeyUsage=${usage}\n`)
    const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca-key.pem'), '-CAcreateserial', '-days', '2']
    await openssl(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      ...signing,
      '-extfile',
      at(`${name}.ext`),
      '-out',
      at(`${name}.pem`),
    )
  }
  return {
    ca: at('ca.pem'),
    serverCert: at('server.pem'),
    serverKey: at('server-key.pem'),
    clientCert: at('client.pem'),
    clientKey: at('client-key.pem'),
  }
}
