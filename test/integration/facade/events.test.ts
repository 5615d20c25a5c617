import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import type { ClusterEvents, DockerEvent } from '#api/docker/events/source.ts'
import { sleep } from '#lib/wait.ts'
import { startFacadeHost } from './host.ts'
import type { FacadeHost } from './host.ts'

const nowNano = (): bigint => BigInt(Date.now()) * 1_000_000n

/** What a cluster would tell: events that the test puts in. */
class Told implements ClusterEvents {
  readonly #events: DockerEvent[] = []
  readonly #listeners = new Set<() => void>()

  tell(Action: string, name: string): void {
    const timeNano = nowNano()
    const time = Number(timeNano / 1_000_000_000n)
    this.#events.push({
      Type: 'service',
      Action,
      Actor: { ID: name, Attributes: { name } },
      scope: 'swarm',
      time,
      timeNano,
    })
    for (const wake of this.#listeners) wake()
  }

  past(sinceNano: bigint, untilNano: bigint): DockerEvent[] {
    return this.#events.filter(({ timeNano }) => timeNano >= sinceNano && timeNano < untilNano)
  }

  async *follow(signal: AbortSignal): AsyncGenerator<DockerEvent> {
    for (let next = this.#events.length; !signal.aborted;) {
      const event = this.#events[next]
      if (event === undefined) await this.#wake(signal)
      else {
        next++
        yield event
      }
    }
  }

  #wake(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#listeners.delete(wake)
        resolve()
      }
      this.#listeners.add(wake)
      signal.addEventListener('abort', wake, { once: true })
    })
  }
}

describe('docker events of engine and cluster', { timeout: 60_000 }, () => {
  const cluster = new Told()
  let host: FacadeHost
  before(async () => {
    host = await startFacadeHost({ events: cluster })
  })
  after(async () => {
    await host[Symbol.asyncDispose]()
  })

  const format = ['--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}']

  test('what was is in order of time, what comes is told at once, until its end', async () => {
    const since = String(Math.floor(Date.now() / 1000) - 1)
    cluster.tell('create', 'web')
    await host.docker('volume', 'create', 'data')
    await sleep(5)
    cluster.tell('update', 'web')
    await sleep(5)
    const kinds = ['service', 'volume', 'container'].flatMap((kind) => ['--filter', `type=${kind}`])
    const until = String(Math.ceil(Date.now() / 1000) + 2)
    const watching = host.start('docker', ['events', '--since', since, '--until', until, ...kinds, ...format])
    const closed = once(watching, 'close')
    let seen = ''
    watching.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()))
    await sleep(700)
    const past = ['service create web', 'volume create <no value>', 'service update web']
    assert.deepEqual(seen.trim().split('\n'), past)
    await host.docker('create', '--name', 'box', 'busybox')
    cluster.tell('remove', 'web')
    await closed
    assert.deepEqual(seen.trim().split('\n'), [...past, 'container create box', 'service remove web'])
  })

  test('filters hold for both', async () => {
    const since = ['--since', '1', '--until', String(Math.ceil(Date.now() / 1000))]
    await sleep(1_000)
    const swarm = await host.docker('events', ...since, ...format, '--filter', 'scope=swarm')
    assert.deepEqual(swarm.split('\n'), ['service create web', 'service update web', 'service remove web'])
    const created = await host.docker(
      'events',
      ...since,
      ...format,
      '--filter',
      'event=create',
      '--filter',
      'type=container',
    )
    assert.equal(created, 'container create box')
  })
})
