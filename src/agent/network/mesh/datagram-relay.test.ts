import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { DatagramRelay } from './datagram-relay.ts'

test('each client has its own answers', async () => {
  const service = createSocket('udp4')
  service.on('message', (message, from) => {
    service.send(`${message.toString()} from ${String(from.port)}`, from.port, from.address)
  })
  service.bind(0, '127.0.0.1')
  await once(service, 'listening')
  // Holds the service's port as the mesh's does, where nothing but ::1 comes in.
  const held = createSocket({ type: 'udp6', ipv6Only: true })
  held.bind(service.address().port, '::1')
  await once(held, 'listening')
  const relay = new DatagramRelay(held)
  held.on('message', (message, from) => {
    relay.carry(message, from.address, from.port)
  })
  const ask = async (text: string) => {
    const client = createSocket('udp6')
    client.send(text, held.address().port, '::1')
    const [answer] = (await once(client, 'message')) as [Buffer]
    client.close()
    return answer.toString().split(' from ')
  }
  const [one, two] = await Promise.all([ask('one'), ask('two')])
  assert.deepEqual([one[0], two[0]], ['one', 'two'])
  assert.notEqual(one[1], two[1])
  relay[Symbol.dispose]()
  service.close()
  held.close()
})
