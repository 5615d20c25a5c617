import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { exec } from '#lib/exec.ts'
import { connect, manager } from './fixture.ts'

const tag = String(process.pid % 100_000)
const namespace = `mure-rpc-${tag}`
const [here, there] = [`mrh${tag}`, `mrt${tag}`]
const subnet = `10.213.${String(process.pid % 250)}`

interface Event {
  readonly at: number
  readonly port?: number
  readonly over?: string
}

/** A manager at the other end of a cable of its own. */
async function cable(): Promise<AsyncDisposable & { address: string; child: ChildProcess; events: Event[] }> {
  const ip = (...args: string[]) => exec('ip', args)
  const remove = async () => {
    await ip('netns', 'del', namespace).catch(() => undefined)
    await ip('link', 'del', here).catch(() => undefined)
  }
  await using undo = new AsyncDisposableStack()
  undo.defer(remove)
  await ip('netns', 'add', namespace)
  await ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', namespace)
  await ip('addr', 'add', `${subnet}.1/24`, 'dev', here)
  await ip('link', 'set', here, 'up')
  await ip('-n', namespace, 'addr', 'add', `${subnet}.2/24`, 'dev', there)
  await ip('-n', namespace, 'link', 'set', there, 'up')
  const child = fork(join(import.meta.dirname, 'cable-server.ts'), {
    execPath: 'nsenter',
    execArgv: [`--net=/run/netns/${namespace}`, process.execPath],
  })
  undo.defer(async () => {
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const events: Event[] = []
  child.on('message', (event: Event) => events.push(event))
  child.send(manager)
  const [listening] = (await once(child, 'message')) as [Event]
  const owned = undo.move()
  return {
    address: `${subnet}.2:${String(listening.port)}`,
    child,
    events,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

for (const path of ['/idle', '/flow'])
  test(`a pulled cable is noticed by both ends in about two seconds: ${path}`, async (t) => {
    await using line = await cable()
    await using connected = await connect(line.address)
    const { client, wait } = connected
    if (path === '/idle') await client.open('/idle', wait)
    else (await client.openRaw('/flow/', wait)).resume()
    await sleep(1_200)
    await exec('ip', ['link', 'set', here, 'down'])
    const pulledAt = Date.now()
    await once(client.signal, 'abort')
    const noticedHere = Date.now() - pulledAt
    for (let i = 0; i < 100 && !line.events.some(({ over }) => over !== undefined); i++) await sleep(20)
    const event = line.events.find(({ over }) => over === path)
    assert.ok(event !== undefined, 'the other end has not noticed')
    const noticedThere = event.at - pulledAt
    t.diagnostic(`noticed after ${String(noticedHere)} ms here, ${String(noticedThere)} ms there`)
    for (const ms of [noticedHere, noticedThere]) assert.ok(ms > 1_000 && ms < 3_500, `${String(ms)} ms`)
  })

test('a cable that is back within a second, and a process that stood still for one, cost nothing', async () => {
  await using line = await cable()
  await using connected = await connect(line.address)
  const { client, wait } = connected
  await using stream = await client.open<number, number>('/echo', wait)
  const messages = stream[Symbol.asyncIterator]()
  const echo = async (n: number) => {
    stream.send(n)
    assert.equal((await messages.next()).value, n)
  }
  await echo(1)
  await exec('ip', ['link', 'set', here, 'down'])
  await sleep(1_000)
  await exec('ip', ['link', 'set', here, 'up'])
  await echo(2)
  line.child.kill('SIGSTOP')
  await sleep(1_000)
  line.child.kill('SIGCONT')
  await echo(3)
  const until = performance.now() + 1_000
  while (performance.now() < until);
  await echo(4)
  assert.equal(client.signal.aborted, false)
})
