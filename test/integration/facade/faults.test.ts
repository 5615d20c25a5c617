import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { isMureError } from '#lib/errors.ts'
import { followEvents } from '#engine/events.ts'
import { sleep } from '#lib/wait.ts'
import { startFacadeHost } from './host.ts'
import type { FacadeHost } from './host.ts'
import { call, exchange } from './http.ts'

const jsonPost = (path: string, length: string) =>
  `POST ${path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n${length}\r\n\r\n`

describe('bad input', { timeout: 120_000 }, () => {
  let host: FacadeHost
  before(async () => {
    host = await startFacadeHost()
  })
  after(async () => {
    await host[Symbol.asyncDispose]()
  })
  const create = (body: string, headers = {}) =>
    call(host.socketPath, 'POST', '/v1.44/networks/create', {
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })

  test('a malformed body is 400 with a reason', async () => {
    const cases: [string, object, RegExp][] = [
      ['{"Name": ', {}, /invalid JSON/],
      ['{"Name": "x"} {"Name": "y"}', {}, /invalid JSON/],
      ['['.repeat(100_000), {}, /exceeded max depth/],
      ['{}', { 'content-type': 'text/plain' }, /unsupported Content-Type header \(text\/plain\): must be/],
      ['', {}, /got EOF while reading request body/],
    ]
    for (const [body, headers, message] of cases) {
      const answer = await create(body, headers)
      assert.equal(answer.status, 400, body.slice(0, 30))
      assert.match((answer.json() as { message: string }).message, message)
    }
  })

  test('a body of 100 MB is refused before it has come, and the facade lives on', async () => {
    const start = `${jsonPost('/v1.44/networks/create', 'Content-Length: 100000000')}{"Name":"`
    const answer = await exchange(
      host.socketPath,
      Buffer.concat([Buffer.from(start), Buffer.alloc(20_000_000, 'x')]),
    )
    assert.match(answer, /^HTTP\/1.1 400 /)
    assert.match(answer, /request body too large/)
    assert.equal((await call(host.socketPath, 'GET', '/_ping')).status, 200)
  })

  test('a malformed request line is 400, a head without end 431', async () => {
    assert.match(await exchange(host.socketPath, 'NONSENSE\r\n\r\n'), /^HTTP\/1.1 400 Bad Request\r\n/)
    assert.match(
      await exchange(host.socketPath, 'GET /%zz HTTP/1.1\r\nHost: docker\r\n\r\n'),
      /^HTTP\/1.1 40[04] /,
    )
    const endless = `GET / HTTP/1.1\r\nHost: docker\r\nX: ${'x'.repeat(2_000_000)}`
    assert.match(await exchange(host.socketPath, endless), /^HTTP\/1.1 431 /)
    // Also where a connection might be handed over whole, for an archive or for a terminal.
    for (const line of [
      'GET /v1.44/networks/%zz',
      'GET /v1.41/images/%zz/get',
      'POST /v1.44/containers/%zz/wait',
    ])
      for (const more of ['', 'Connection: Upgrade\r\nUpgrade: tcp\r\n'])
        assert.match(
          await exchange(
            host.socketPath,
            `${line} HTTP/1.1\r\nHost: docker\r\n${more === '' ? 'Connection: close\r\n' : more}\r\n`,
          ),
          /^HTTP\/1.1 400 /,
          line,
        )
    assert.equal((await call(host.socketPath, 'GET', '/_ping')).status, 200)
  })
})

describe('an engine that fails', { timeout: 60_000 }, () => {
  let host: FacadeHost
  before(async () => {
    host = await startFacadeHost()
  })
  after(async () => {
    host.engine.resume()
    await host[Symbol.asyncDispose]()
  })

  test('long calls to an engine that has stopped answering end; short ones time out', async () => {
    const id = await host.client.createContainer('sleeper', { Image: 'busybox', Cmd: ['sleep', '1000'] })
    await host.client.startContainer(id)
    const long = [
      host.client.waitContainer(id),
      host.client.logs(id, { follow: true }).next(),
      host.client.events({ signal: new AbortController().signal, types: ['container'] }).next(),
    ]
    const ended = Promise.allSettled(long)
    await sleep(300)
    host.engine.pause()
    const short = host.client.inspectContainer(id, { timeoutMs: 300 })
    await assert.rejects(short, (error) => isMureError(error, 'timeout'))
    for (const result of await ended) {
      assert.equal(result.status, 'rejected')
      assert.ok(isMureError(result.reason, 'unavailable'), String(result.reason))
      assert.match(String(result.reason), /has stopped answering/)
    }
    assert.equal((await call(host.socketPath, 'GET', '/_ping')).status, 200)
    host.engine.resume()
    assert.equal((await host.client.inspectContainer(id)).State.Running, true)
    await host.client.removeContainer(id)
  })

  test('a load or save that is broken off ends on both sides', async () => {
    const load = host.start('docker', ['load'])
    const loadEnded = once(load, 'close')
    load.stdin.on('error', () => undefined)
    load.stdin.write(Buffer.alloc(3_000_000))
    await sleep(200)
    load.kill('SIGKILL')
    await loadEnded
    const half = await host.run('sh', ['-c', 'docker save busybox | head -c 10000 | wc -c'])
    assert.equal(half.stdout.trim(), '10000')
    const archive = await host.run('sh', ['-c', 'docker save busybox | docker load'])
    assert.match(archive.stdout, /Loaded image: busybox:latest/)
  })

  test('a caller that gives up is told so at once', async () => {
    const gone = new AbortController()
    const events = host.client.events({ signal: gone.signal, types: ['container'] }).next()
    await sleep(100)
    gone.abort()
    await assert.rejects(events)
  })

  test('events go on over a restart of the engine, and streams of clients end', async () => {
    const stop = new AbortController()
    let opened = 0
    const actions: string[] = []
    const follow = (async () => {
      const options = { signal: stop.signal, types: ['container'], onOpen: () => opened++ }
      for await (const event of followEvents(host.client, options)) actions.push(event.Action)
    })()
    const load = host.start('docker', ['load'])
    const broken = once(load, 'close')
    load.stdin.on('error', () => undefined)
    load.stdin.write(Buffer.alloc(1_000_000))
    const watching = host.start('docker', ['events'])
    const closed = once(watching, 'close')
    await sleep(300)
    await host.docker('create', '--name', 'before', 'busybox')
    for (let i = 0; actions.length < 1 && i < 50; i++) await sleep(100)
    await host.engine.kill()
    await closed
    load.stdin.end()
    assert.notEqual(((await broken) as [number])[0], 0)
    const refused = await host.run('docker', ['load'], { input: Buffer.alloc(1_000_000) })
    assert.match(refused.stderr, /Cannot connect to the Docker daemon|connection refused/)
    const down = await call(host.socketPath, 'GET', '/v1.44/containers/json')
    assert.equal(down.status, 503)
    assert.match(
      down.text,
      /Cannot connect to the Docker daemon at unix:\/\/.*Is the docker daemon running\?/,
    )
    await assert.rejects(host.client.info(), (error) => isMureError(error, 'unavailable'))
    await host.engine.start()
    for (let i = 0; opened < 2 && i < 100; i++) await sleep(100)
    await host.docker('create', '--name', 'behind', 'busybox')
    for (let i = 0; actions.length < 2 && i < 50; i++) await sleep(100)
    stop.abort()
    await follow
    assert.deepEqual(actions, ['create', 'create'])
  })

  test('the facade stops within seconds, with streams open', async () => {
    const watching = host.start('docker', ['events'])
    const closed = once(watching, 'close')
    await sleep(300)
    const started = performance.now()
    await host.facade[Symbol.asyncDispose]()
    assert.ok(performance.now() - started < 4_000)
    await closed
  })
})
