import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exec } from '#lib/exec.ts'

/** In a network of its own: a wire that nobody is on, and something sent to somebody there. */
const script = `
  import { execFileSync } from 'node:child_process'
  import { createSocket } from 'node:dgram'
  import { forgetUnanswered } from '#agent/network/neighbours.ts'
  const ip = (line) => execFileSync('ip', line.split(' '), { encoding: 'utf8' })
  ip('link add wire type veth peer name nobody')
  ip('addr add 192.0.2.1/24 dev wire')
  ip('link set nobody up')
  ip('link set wire up')
  const socket = createSocket('udp4')
  socket.send('x', 9, '192.0.2.2', async () => {
    socket.close()
    const before = ip('neigh show nud incomplete')
    await forgetUnanswered()
    console.log(JSON.stringify([before.trim(), ip('neigh show nud incomplete').trim()]))
  })
`

test('whom the kernel asks for in vain is forgotten, and so asked for at once when something is to be sent', async () => {
  const inside = ['--net', process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module']
  const stdout = await exec('unshare', [...inside, '--eval', script])
  const [before, after] = JSON.parse(stdout) as [string, string]
  assert.match(before, /^192\.0\.2\.2 dev wire/)
  assert.equal(after, '')
})
