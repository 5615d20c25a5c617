import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { Agent, createServer, request } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import { connect, createServer as createHttp2Server } from 'node:http2'
import { connect as connectTo } from 'node:net'
import { after, before, test } from 'node:test'
import { sleep } from '#lib/wait.ts'
import { aRoute, LocalIngress, loopbacks, taskPort } from '../../support/local-ingress.ts'

let ingress: LocalIngress
const tasks: Server[] = []
const addresses = loopbacks(30)

before(async () => {
  for (const address of addresses) {
    const server = createServer((call, response) => {
      const { 'x-forwarded-for': client, 'x-who': who } = call.headers
      response.end(`${address} ${String(client)} ${String(call.url)} ${String(who)}`)
    })
    server.on('upgrade', (call, socket) => {
      const accept = acceptOf(call.headers['sec-websocket-key'] ?? '')
      const head = ['HTTP/1.1 101 Switching Protocols', 'Connection: upgrade', 'Upgrade: websocket']
      socket.write(`${head.join('\r\n')}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
      socket.on('data', (data) => socket.write(`echo ${String(data)}`))
      socket.on('error', () => undefined)
    })
    server.listen(taskPort, address)
    await once(server, 'listening')
    tasks.push(server)
  }
  ingress = await LocalIngress.start(28_180)
})
after(async () => {
  await ingress[Symbol.asyncDispose]()
  for (const server of tasks) {
    server.closeAllConnections()
    server.close()
  }
})

/** @see RFC 6455, section 4.2.2 */
const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

function ask(headers: Record<string, string> = {}, agent?: Agent, path = '/'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { httpPort: port } = ingress
    const call = request(
      { host: '127.0.0.1', port, path, headers, ...(agent === undefined ? {} : { agent }) },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (text: string) => (body += text))
        answer.once('end', () => {
          resolve({ status: answer.statusCode ?? 0, body, headers: answer.headers })
        })
      },
    )
    call.once('error', reject)
    call.end()
  })
}

async function answering(count: number): Promise<number> {
  const bodies = await Promise.all(Array.from({ length: count }, () => ask()))
  return new Set(bodies.map(({ body }) => body)).size
}

/** Asks on and on by new connections while something happens; gives every answer that was not right. */
async function underLoad(happens: () => Promise<void>): Promise<string[]> {
  const wrong: string[] = []
  const state = { isOver: false }
  const agent = new Agent({ keepAlive: false })
  const askOn = async () => {
    while (!state.isOver)
      await ask({}, agent).then(
        ({ status }) => status === 200 || wrong.push(String(status)),
        (error: unknown) => wrong.push(String(error)),
      )
  }
  const load = Promise.all([askOn(), askOn(), askOn(), askOn()])
  await happens()
  await sleep(100)
  state.isOver = true
  await load
  return wrong
}

test('three tasks become thirty without another process', async () => {
  await ingress.agent.configure(ingress.configuration([aRoute()]))
  await ingress.serveBy(addresses.slice(0, 3))
  assert.equal(await answering(30), 3)
  assert.equal((await ask()).body.split(' ')[1], '127.0.0.1')
  const pid = await ingress.pid()
  await ingress.serveBy(addresses)
  assert.equal(await answering(120), 30)
  await ingress.serveBy(addresses.slice(2, 5))
  assert.equal(await answering(30), 3)
  assert.equal(await ingress.pid(), pid)
  assert.deepEqual(ingress.state, { state: 'running' })
})

test('reloads and a restart of the daemon lose no connection', async () => {
  const pid = await ingress.pid()
  const wrong = await underLoad(async () => {
    for (const path of ['/a', '/b'])
      await ingress.agent.configure(
        ingress.configuration([
          aRoute({
            matches: [
              { host: '*', path: '/' },
              { host: '*', path },
            ],
          }),
        ]),
      )
    await ingress.restart()
    await ingress.agent.configure(ingress.configuration([aRoute()]))
  })
  assert.deepEqual(wrong, [])
  assert.notEqual(await ingress.pid(), pid)
})

test('what HAProxy refuses is told, and the last good configuration stays in force', async () => {
  const pid = await ingress.pid()
  await ingress.agent.configure(ingress.configuration([aRoute({ healthCheckPath: '/\n  nonsense here' })]))
  assert.match(ingress.state?.problems?.join() ?? '', /last good one stays in force.*nonsense/)
  assert.equal((await ask()).status, 200)
  assert.equal(await ingress.pid(), pid)
  await ingress.agent.configure(ingress.configuration([aRoute()]))
  assert.deepEqual(ingress.state, { state: 'running' })
})

test('WebSockets pass both ways', async () => {
  const { httpPort: port } = ingress
  const headers = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const call = request({ host: '127.0.0.1', port, headers })
  call.end()
  call.once('response', (answer) => call.destroy(new Error(`no upgrade: ${String(answer.statusCode)}`)))
  const [, socket] = (await once(call, 'upgrade')) as [unknown, NodeJS.ReadWriteStream & { destroy(): void }]
  socket.write('hello')
  const [data] = (await once(socket, 'data')) as [Buffer]
  assert.equal(String(data), 'echo hello')
  socket.destroy()
})

test('HTTP/2 goes through to tasks that speak it, with trailers, as gRPC needs', async () => {
  const server = createHttp2Server()
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.once('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': '0' })
    })
    stream.end('answer')
  })
  server.listen(taskPort + 1, '127.0.1.1')
  await once(server, 'listening')
  const route = aRoute({ id: 'grpc:1', port: taskPort + 1, protocol: 'h2c' })
  await ingress.agent.configure(ingress.configuration([route]))
  await ingress.serveBy(['127.0.1.1'])
  const client = connect(`http://127.0.0.1:${String(ingress.httpPort)}`)
  try {
    const stream = client.request({ ':method': 'POST', ':path': '/service/method', te: 'trailers' })
    const trailers = once(stream, 'trailers') as Promise<[IncomingHttpHeaders]>
    stream.resume()
    stream.end('question')
    assert.equal((await trailers)[0]['grpc-status'], '0')
  } finally {
    client.destroy()
    server.close()
  }
})

test('a visitor stays with one task while it is there', async () => {
  await ingress.agent.configure(ingress.configuration([aRoute({ isSticky: true })]))
  await ingress.serveBy(addresses.slice(0, 5))
  const first = await ask()
  const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  assert.match(cookie, /^MURE_TASK=/)
  for (let i = 0; i < 10; i++) assert.equal((await ask({ cookie })).body, first.body)
  // Another node's HAProxy, or one with other slots, understands the cookie too.
  await ingress.serveBy(addresses.slice(0, 12))
  await ingress.agent.configure(ingress.configuration([aRoute({ isSticky: true, healthCheckPath: '/' })]))
  assert.equal((await ask({ cookie })).body, first.body)
})

test('who asks too often is told so', async () => {
  await ingress.agent.configure(
    ingress.configuration([aRoute({ rateLimit: { requests: 5, perSeconds: 3600 } })]),
  )
  const statuses = []
  for (let i = 0; i < 8; i++) statuses.push((await ask()).status)
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429, 429])
})

test('certificates of the folder that cannot be used are told', async () => {
  await writeFile(`${ingress.folder}/bad.pem`, 'nothing')
  await ingress.agent.configure(ingress.configuration([aRoute()], { certificateFolder: ingress.folder }))
  assert.match(ingress.state?.problems?.join() ?? '', /certificate .*bad\.pem/)
  assert.equal((await ask()).status, 200)
})

test('a route does what was declared: paths, headers, passwords, addresses', async () => {
  const password = '$5$salt$Gcm6FsVtF/Qa77ZKD.iwsJlCVPY0XSMgLJL0Hnww/c1'
  const route = aRoute({
    matches: [{ host: '*', path: '/api' }],
    rewrite: { prefixes: ['/api', '/(b|c)'], by: '/v1/' },
    users: [{ name: 'joe', password, isHashed: true }],
    requestHeaders: [{ name: 'X-Who', value: '50% "of" #us' }],
    responseHeaders: [{ name: 'X-Frame-Options', value: 'DENY' }],
    allowedFrom: ['127.0.0.0/8', '::1'],
  })
  await ingress.agent.configure(ingress.configuration([route]))
  await ingress.serveBy(addresses.slice(0, 1))
  assert.deepEqual(ingress.state, { state: 'running' })
  assert.equal((await ask({}, undefined, '/other')).status, 404)
  assert.equal((await ask({}, undefined, '/api/x')).status, 401)
  const authorization = `Basic ${Buffer.from('joe:password').toString('base64')}`
  const told = await ask({ authorization, 'x-who': 'me' }, undefined, '/api//x/y?z=1')
  assert.equal(told.body, `${addresses[0] ?? ''} 127.0.0.1 /v1/x/y?z=1 50% "of" #us`)
  assert.equal(told.headers['x-frame-options'], 'DENY')
  assert.match((await ask({ authorization }, undefined, '/api')).body, / \/v1\/ /)
  const elsewhere = { ...route, allowedFrom: ['10.0.0.0/8'] }
  await ingress.agent.configure(ingress.configuration([elsewhere]))
  assert.equal((await ask({ authorization }, undefined, '/api')).status, 403)
})

test('a load balancer in front tells the address of the client by the PROXY protocol', async () => {
  await ingress.agent.configure(ingress.configuration([aRoute()], { proxiesFrom: ['127.0.0.1'] }))
  const socket = connectTo({ host: '127.0.0.1', port: ingress.httpPort })
  socket.end(
    'PROXY TCP4 192.0.2.7 192.0.2.1 5000 80\r\nGET / HTTP/1.1\r\nHost: a.org\r\nConnection: close\r\n\r\n',
  )
  const said = Buffer.concat((await socket.toArray()) as Buffer[]).toString()
  assert.match(said, / 192\.0\.2\.7 \//)
  // Who is not believed to be one is a client.
  await ingress.agent.configure(ingress.configuration([aRoute()], { proxiesFrom: ['10.0.0.1'] }))
  assert.equal((await ask()).status, 200)
})

test('a port that is taken is told, and what served before goes on', async () => {
  await ingress.agent.configure(ingress.configuration([aRoute()]))
  const other = createServer().listen(ingress.httpPort + 9)
  await once(other, 'listening')
  try {
    const wish = { statisticsPort: ingress.httpPort + 9 }
    await ingress.agent.configure(ingress.configuration([aRoute()], wish))
    const said = ingress.state?.problems?.join() ?? ''
    assert.match(said, /last good configuration stays in force.*cannot listen at \S+: another program/)
    assert.equal(ingress.state?.state, 'running')
    assert.equal((await ask()).status, 200)
  } finally {
    other.close()
  }
  await ingress.agent.configure(ingress.configuration([aRoute()]))
  assert.deepEqual(ingress.state, { state: 'running' })
})
