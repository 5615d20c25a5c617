import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startFacadeHost } from './host.ts'
import type { FacadeHost } from './host.ts'
import { call } from './http.ts'

interface Created {
  Id: string
  Warnings: string[]
}

describe('API 1.47 before an engine of 1.41', { timeout: 120_000 }, () => {
  let host: FacadeHost
  before(async () => {
    host = await startFacadeHost()
  })
  after(async () => {
    await host[Symbol.asyncDispose]()
  })

  const api = (method: string, path: string, body?: object) =>
    call(host.socketPath, method, path, body === undefined ? {} : { body })
  const create = async (body: object, version = 'v1.47') => {
    const answer = await api('POST', `/${version}/containers/create`, { Image: 'busybox', ...body })
    return { status: answer.status, ...(answer.json() as Created & { message: string }) }
  }
  const inspect = async (id: string) =>
    (await call(host.engine.socketPath, 'GET', `/containers/${id}/json`)).json() as {
      Mounts: { Source: string; RW: boolean }[]
      NetworkSettings: { Networks: Record<string, { MacAddress: string; Aliases: string[] | null }> }
      State: { ExitCode: number; Running: boolean }
    }

  test('ping says the highest version, in GET and HEAD', async () => {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, text } = await api(method, '/_ping')
      assert.equal(status, 200)
      assert.equal(text, method === 'GET' ? 'OK' : '')
      assert.equal(headers['api-version'], '1.47')
      assert.equal(headers['ostype'], 'linux')
      assert.equal(headers['docker-experimental'], 'false')
      assert.equal(headers['swarm'], 'inactive')
      assert.equal(headers['cache-control'], 'no-cache, no-store, must-revalidate')
      assert.equal(headers['pragma'], 'no-cache')
      assert.match(String(headers['server']), /^Docker\/\S+ \(linux\)$/)
    }
    assert.equal(await host.docker('version', '-f', '{{.Client.APIVersion}}'), '1.47')
  })

  test("versions out of range and unknown paths get Docker's own answers", async () => {
    const tooNew = await api('GET', '/v1.99/info')
    assert.deepEqual(
      [tooNew.status, tooNew.text],
      [400, '{"message":"client version 1.99 is too new. Maximum supported API version is 1.47"}\n'],
    )
    const tooOld = await api('GET', '/v1.5/containers/json')
    assert.equal(tooOld.status, 400)
    assert.match(
      tooOld.text,
      /client version 1\.5 is too old\. Minimum supported API version is 1\.12, please/,
    )
    const unknown = await api('GET', '/v1.44/nothing')
    assert.deepEqual([unknown.status, unknown.json()], [404, { message: 'page not found' }])
  })

  test('a path that the engine would have without its doubled slash: sent there, in the version that was asked', async () => {
    for (const version of ['v1.41', 'v1.47'])
      for (const [asked, meant] of [
        ['/images/a//b/json', '/images/a/b/json'],
        ['/images/a//b/history', '/images/a/b/history'],
      ] as const) {
        const { status, headers } = await api('GET', `/${version}${asked}`)
        assert.deepEqual([status, headers['location']], [301, `/${version}${meant}`])
      }
  })

  test('volumes with a name survive a prune, as 1.42 promises', async () => {
    await host.docker('volume', 'create', 'precious')
    await host.docker('volume', 'create', '--label', 'tier=data')
    await host.docker('volume', 'create')
    assert.equal(
      (await host.docker('volume', 'prune', '-f', '--filter', 'label=tier=data')).match(/^[0-9a-f]{64}$/gm)
        ?.length,
      1,
    )
    assert.equal((await host.docker('volume', 'prune', '-f')).match(/^[0-9a-f]{64}$/gm)?.length, 1)
    assert.equal(await host.docker('volume', 'ls', '-q'), 'precious')
    assert.match(await host.docker('volume', 'prune', '-af'), /precious/)
  })

  test('stop with a signal of the caller', async () => {
    const script = 'trap "exit 42" USR1; trap "exit 1" TERM; while true; do sleep 0.1; done'
    await host.docker('run', '-d', '--name', 'stopped', 'busybox', 'sh', '-c', script)
    await host.docker('stop', '-s', 'SIGUSR1', '-t', '5', 'stopped')
    assert.equal((await inspect('stopped')).State.ExitCode, 42)
    await host.docker('start', 'stopped')
    await host.docker('restart', '-s', 'SIGUSR1', 'stopped')
    assert.equal((await inspect('stopped')).State.Running, true)
    const killed = performance.now()
    await host.docker('stop', '-s', 'SIGWINCH', '-t', '1', 'stopped')
    assert.ok(performance.now() - killed > 900)
    assert.equal((await inspect('stopped')).State.ExitCode, 137)
    await host.docker('rm', 'stopped')
  })

  test('several networks and a hardware address at creation', async () => {
    await host.docker('network', 'create', 'one')
    await host.docker('network', 'create', 'two')
    const networks = [
      '--network',
      'name=one,mac-address=02:42:ac:11:00:99,alias=first',
      '--network',
      'name=two,alias=second',
    ]
    const id = await host.docker('run', '-d', ...networks, 'busybox', 'sleep', '100')
    const { Networks } = (await inspect(id)).NetworkSettings
    assert.deepEqual(Object.keys(Networks).sort(), ['one', 'two'])
    assert.equal(Networks['one']?.MacAddress, '02:42:ac:11:00:99')
    assert.ok(Networks['two']?.Aliases?.includes('second'))
    const names = async (version: string) => {
      const answer = await api('GET', `/${version}/containers/${id}/json`)
      const { NetworkSettings } = answer.json() as {
        NetworkSettings: { Networks: Record<string, { Aliases: string[] | null; DNSNames?: string[] }> }
      }
      return NetworkSettings.Networks['two']
    }
    assert.deepEqual((await names('v1.45'))?.Aliases, ['second'])
    assert.ok((await names('v1.45'))?.DNSNames?.includes(id.slice(0, 12)))
    assert.equal((await names('v1.44'))?.DNSNames, undefined)
    await host.docker('rm', '-f', id)
    const outside = { IPAMConfig: { IPv4Address: '192.0.2.1' } }
    const refused = await create({
      HostConfig: { NetworkMode: 'one' },
      NetworkingConfig: { EndpointsConfig: { one: {}, two: outside } },
    })
    assert.equal(refused.status, 400)
    assert.match(refused.message, /user specified IP address is supported only/)
    assert.equal(await host.docker('ps', '-aq'), '')
  })

  test('a network name that is taken is refused', async () => {
    const taken = await host.run('docker', ['network', 'create', 'one'])
    assert.match(taken.stderr, /network with name one already exists/)
  })

  test('mounts: a missing source is created, foreign options are refused', async () => {
    const source = '/var/lib/docker/made/on demand'
    const mount = { Type: 'bind', Source: source, Target: '/made', ReadOnly: true }
    const made = await create({
      HostConfig: { Mounts: [{ ...mount, BindOptions: { CreateMountpoint: true } }] },
    })
    assert.equal(made.status, 201)
    assert.deepEqual(
      (await inspect(made.Id)).Mounts.map((found) => [found.Source, found.RW]),
      [[source, false]],
    )
    await host.docker('start', made.Id)
    assert.ok(existsSync(join(host.engine.folder, 'data/made/on demand')))
    const foreign = await create({ HostConfig: { Mounts: [{ ...mount, TmpfsOptions: {} }] } })
    assert.deepEqual(
      [foreign.status, foreign.message],
      [400, 'TmpfsOptions must not be specified on mount type "bind"'],
    )
    await host.docker('rm', '-f', made.Id)
  })

  test('what the engine cannot do is refused, or said', async () => {
    const annotated = await create({ HostConfig: { Annotations: { key: 'value' } } })
    assert.equal(annotated.status, 400)
    assert.match(annotated.message, /"annotation" requires API version 1\.43/)
    const checked = await create({ Healthcheck: { Test: ['CMD', 'true'], StartInterval: 1_000_000_000 } })
    assert.equal(checked.status, 201)
    assert.match(checked.Warnings.join(), /start interval/)
    await host.docker('rm', checked.Id)
    const wait = await api('POST', '/v1.44/containers/any/wait?condition=bored')
    assert.deepEqual([wait.status, wait.json()], [400, { message: 'invalid condition: "bored"' }])
  })

  test('a client of the old version gets the old answers', async () => {
    const [newer, older] = [await api('GET', '/v1.44/images/json'), await api('GET', '/v1.41/images/json')]
    const [image] = newer.json() as Record<string, unknown>[]
    const [same] = older.json() as Record<string, unknown>[]
    assert.equal(image?.['VirtualSize'], undefined)
    assert.equal(same?.['VirtualSize'], image?.['Size'])
    assert.deepEqual(
      await call(host.engine.socketPath, 'GET', '/v1.41/images/json').then((direct) => direct.json()),
      older.json(),
    )
  })

  test('the account of the disk can be asked in part', async () => {
    const usage = (await api('GET', '/v1.44/system/df?type=image')).json() as object
    assert.deepEqual(Object.keys(usage).sort(), ['Images', 'LayersSize'])
    assert.match(await host.docker('system', 'df'), /Images\s+1/)
    const wrong = await api('GET', '/v1.44/system/df?type=dust')
    assert.deepEqual([wrong.status, wrong.json()], [400, { message: 'unknown object type: dust' }])
  })
})
