import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sleep } from '#lib/wait.ts'
import { startFacadeHost } from './host.ts'
import type { FacadeHost } from './host.ts'
import { call, exchange } from './http.ts'

const oldCli = '/usr/bin/docker'

describe('the engine behind the facade', { timeout: 120_000 }, () => {
  let host: FacadeHost
  before(async () => {
    host = await startFacadeHost()
  })
  after(async () => {
    await host[Symbol.asyncDispose]()
  })

  test('docker run, with its exit code and both streams', async () => {
    const script = 'echo out; echo err >&2; exit 3'
    const result = await host.run('docker', ['run', '--rm', 'busybox', 'sh', '-c', script])
    assert.deepEqual(result, { stdout: 'out\n', stderr: 'err\n', exitCode: 3 })
  })

  test('docker run -i: the end of the input reaches the container', async () => {
    for (const cli of ['docker', oldCli]) {
      const input = Buffer.alloc(3_000_000, 'x')
      const args = ['run', '--rm', '-i', 'busybox', 'wc', '-c']
      assert.equal((await host.run(cli, args, { input })).stdout.trim(), '3000000')
    }
  })

  test('docker exec -it: a terminal, with its size and its resizing', async () => {
    await host.docker('run', '-d', '--name', 'terminal', 'busybox', 'sleep', '1000')
    const driver = `
import os, pty, struct, fcntl, termios, time, sys, select
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], [sys.argv[1], 'exec', '-it', 'terminal', 'sh'])
def size(rows, columns): fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0)); os.kill(pid, 28)
def until(text):
    seen = b''
    while text not in seen:
        if not select.select([fd], [], [], 10)[0]: raise SystemExit('no ' + repr(text) + ' in ' + repr(seen))
        seen += os.read(fd, 65536)
size(31, 97); until(b'#'); time.sleep(0.5)
os.write(fd, b'stty size\\n'); until(b'31 97')
size(40, 120); time.sleep(0.5)
os.write(fd, b'stty size\\n'); until(b'40 120')
os.write(fd, b'exit 7\\n')
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`
    for (const cli of ['docker', oldCli]) {
      const result = await host.run('python3', ['-c', driver, cli])
      assert.equal(result.stdout.trim(), '7', result.stderr)
    }
    await host.docker('rm', '-f', 'terminal')
  })

  test('docker attach sees what is printed from then on, and its input arrives', async () => {
    await host.docker(
      'run',
      '-d',
      '-i',
      '--name',
      'attached',
      'busybox',
      'sh',
      '-c',
      'read line; echo got $line',
    )
    const attach = host.start('docker', ['attach', 'attached'])
    let seen = ''
    attach.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()))
    await sleep(300)
    attach.stdin.write('word\n')
    await once(attach, 'close')
    assert.equal(seen, 'got word\n')
    await host.docker('rm', 'attached')
  })

  test('docker logs -f shows each line at once, and its end cancels the call to the engine', async () => {
    const loop = 'i=0; while true; do echo line $i; i=$((i+1)); sleep 0.2; done'
    await host.docker('run', '-d', '--name', 'talker', 'busybox', 'sh', '-c', loop)
    const logs = host.start('docker', ['logs', '-f', 'talker'])
    const times: number[] = []
    logs.stdout.on('data', () => times.push(performance.now()))
    await sleep(1_500)
    assert.ok(times.length >= 4, `only ${String(times.length)} pieces came`)
    logs.kill('SIGKILL')
    await once(logs, 'close')
    await host.docker('rm', '-f', 'talker')
  })

  test('docker cp both ways, byte for byte, also what is not there', async () => {
    const bytes = Buffer.from(Array.from({ length: 5_000_000 }, (_, index) => (index * 7919) % 251))
    const [there, back] = [join(host.engine.folder, 'there'), join(host.engine.folder, 'back')]
    await writeFile(there, bytes)
    await host.docker('create', '--name', 'box', 'busybox')
    await host.docker('cp', there, 'box:/tmp/a b ü')
    await host.docker('cp', 'box:/tmp/a b ü', back)
    assert.ok((await readFile(back)).equals(bytes))
    const missing = await host.run('docker', ['cp', 'box:/nowhere', back])
    assert.match(missing.stderr, /Could not find the file \/nowhere in container box/)
    const nobody = await host.run('docker', ['cp', there, 'nobody:/tmp'])
    assert.match(nobody.stderr, /No such container: nobody/)
    await host.docker('rm', 'box')
  })

  test('a path keeps its escapes, and HEAD its headers', async () => {
    await host.docker('create', '--name', 'box', 'busybox')
    const direct = await call(
      host.engine.socketPath,
      'HEAD',
      '/v1.41/containers/box/archive?path=%2Fbin%2Fbusybox',
    )
    const through = await call(host.socketPath, 'HEAD', '/v1.41/containers/box/archive?path=%2Fbin%2Fbusybox')
    assert.equal(through.status, 200)
    assert.equal(
      through.headers['x-docker-container-path-stat'],
      direct.headers['x-docker-container-path-stat'],
    )
    await host.docker('rm', 'box')
  })

  test('docker save and load', async () => {
    const file = join(host.engine.folder, 'busybox.tar')
    await host.docker('save', '-o', file, 'busybox')
    await host.docker('rmi', 'busybox')
    assert.match(await host.docker('load', '-i', file), /Loaded image: busybox:latest/)
    const missing = await host.run('docker', ['save', '-o', file, 'nothing'])
    assert.match(missing.stderr, /reference does not exist|No such image/)
  })

  test('docker build, classic and over the session of BuildKit', async () => {
    const context = join(host.engine.folder, 'context')
    await mkdir(context, { recursive: true })
    await writeFile(join(context, 'data'), Buffer.alloc(2_000_000, 7))
    await writeFile(join(context, 'Dockerfile'), 'FROM busybox\nCOPY data /data\nRUN wc -c /data > /size\n')
    for (const [cli, buildKit] of [
      ['docker', '0'],
      [oldCli, '0'],
      [oldCli, '1'],
    ] as const) {
      const built = await host.run(cli, ['build', '--no-cache', '-t', 'built', context], {
        env: { DOCKER_BUILDKIT: buildKit },
        timeoutMs: 60_000,
      })
      assert.equal(built.exitCode, 0, built.stderr)
      assert.match(await host.docker('run', '--rm', 'built', 'cat', '/size'), /2000000/)
      await host.docker('rmi', 'built')
    }
  })

  test('docker-compose 1.29: up, logs, exec, down', async () => {
    const folder = join(host.engine.folder, 'shop')
    await mkdir(folder, { recursive: true })
    const file = `
version: "3.8"
services:
  web: { image: busybox, command: "sh -c 'echo ready; sleep 1000'", volumes: ["data:/data"], stop_grace_period: 0s }
volumes: { data: {} }
`
    await writeFile(join(folder, 'docker-compose.yml'), file)
    const compose = async (...args: string[]) => {
      const result = await host.run('docker-compose', args, { cwd: folder, timeoutMs: 60_000 })
      assert.equal(result.exitCode, 0, result.stderr)
      return result.stdout + result.stderr
    }
    await compose('up', '-d')
    assert.match(await compose('logs'), /ready/)
    assert.match(await compose('exec', '-T', 'web', 'echo', 'inside'), /inside/)
    await compose('down', '-v')
    assert.equal(await host.docker('ps', '-aq'), '')
  })

  test('a client that asks whether it may send a body hears the engine', async () => {
    await host.docker('create', '--name', 'box', 'busybox')
    const head = (name: string) =>
      `PUT /v1.41/containers/${name}/archive?path=/tmp HTTP/1.1\r\nHost: docker\r\nContent-Type: application/x-tar\r\n` +
      'Content-Length: 1024\r\nExpect: 100-continue\r\n\r\n'
    const refused = await exchange(host.socketPath, head('nobody'))
    assert.match(refused, /^HTTP\/1.1 404 /)
    assert.match(await exchange(host.socketPath, head('box')), /^HTTP\/1.1 100 Continue/)
    await host.docker('rm', 'box')
  })

  test('a refused upgrade does not leave the client alone with the engine', async () => {
    const upgrade =
      'POST /v1.41/containers/nobody/attach?stream=1 HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n' +
      'Content-Length: 0\r\n\r\n'
    const answer = await exchange(
      host.socketPath,
      `${upgrade}GET /v1.41/_ping HTTP/1.1\r\nHost: docker\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1.1 404 /)
    assert.match(answer, /No such container: nobody/)
    assert.equal(answer.match(/HTTP\/1.1/g)?.length, 1)
  })

  test('a POST without a body has none at the engine either', async () => {
    await host.docker('create', '--name', 'box', 'busybox', 'true')
    const started = await exchange(
      host.socketPath,
      'POST /containers/box/start HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n',
      5_000,
    )
    assert.match(started, /^HTTP\/1.1 204 /)
    await host.docker('rm', '-f', 'box')
  })
})
