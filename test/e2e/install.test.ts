import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { root } from '#cli/tool.ts'
import { startSystemdHost } from '../support/systemd-host.ts'
import type { SystemdHost } from '../support/systemd-host.ts'

let host: SystemdHost

before(async () => {
  host = await startSystemdHost()
})
after(() => host[Symbol.asyncDispose]())

async function succeeds(...command: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.run(...command)
  assert.equal(exitCode, 0, `${command.join(' ')}: ${stdout}${stderr}`)
  return stdout.trim()
}

async function fails(...command: string[]): Promise<string> {
  const { exitCode, stderr } = await host.run(...command)
  assert.notEqual(exitCode, 0, command.join(' '))
  return stderr.trim()
}

test('installed, mured has the docker socket and the engine one of its own; uninstalled, all is as before', async () => {
  const id = await succeeds('docker', 'info', '--format', '{{.ID}}')
  assert.match(await fails(join(root, 'mure'), 'uninstall'), /not installed/)
  await succeeds(join(root, 'mure'), 'install')
  assert.equal(await succeeds('docker', 'info', '--format', '{{.ID}}'), id)
  assert.equal(
    await succeeds('docker', '-H', 'unix:///run/mure/engine.sock', 'info', '--format', '{{.ID}}'),
    id,
  )
  await succeeds('docker', 'swarm', 'init', '--advertise-addr', '127.0.0.1')
  // The installed copy, with the Node that came along.
  assert.match(
    await succeeds('env', '-i', 'PATH=/usr/bin:/bin', '/usr/local/bin/mure', '--help'),
    /uninstall/,
  )

  // A newer program is brought in by installing again: the node is what it was.
  const node = await succeeds('docker', 'info', '--format', '{{.Swarm.NodeID}}')
  await succeeds('/usr/local/bin/mure', 'install')
  assert.match(
    await succeeds('docker', 'node', 'ls', '--format', '{{.ID}} {{.Status}}'),
    new RegExp(`^${node} `),
  )
  await succeeds('systemctl', 'reload', 'mure.service')

  // What serves people goes on while the daemon is started anew.
  const ports = ['--http-port', '8980', '--https-port', '8981', '--statistics-port', '8982']
  await succeeds('mure', 'ingress', 'enable', ...ports)
  const asked = 'curl -sS -o /dev/null http://127.0.0.1:8980/'
  await succeeds('sh', '-c', `until ${asked}; do sleep 0.1; done`)
  const whileRestarted = `systemctl restart mure.service & while kill -0 $!; do ${asked} || echo lost; done`
  assert.equal(await succeeds('sh', '-c', whileRestarted), '')
  await succeeds('sh', '-c', 'until docker node ls; do sleep 0.1; done')

  assert.match(await fails('mure', 'uninstall'), /part of a swarm/)
  await succeeds('docker', 'swarm', 'leave', '--force')
  await succeeds('mure', 'uninstall', '--purge')
  await fails('sh', '-c', asked)
  assert.equal(
    await succeeds('docker', 'info', '--format', '{{.ID}} {{.Swarm.LocalNodeState}}'),
    `${id} inactive`,
  )
  for (const left of ['/usr/local/bin/mure', '/usr/local/lib/mure', '/var/lib/mure']) await fails('ls', left)
  assert.equal(await succeeds('systemctl', '--failed', '--quiet', '--plain', '--no-legend'), '')
})
