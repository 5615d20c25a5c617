import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { startWait } from '#lib/wait.ts'
import { AccountKey } from '#manager/ingress/acme/account-key.ts'
import { AcmeClient } from '#manager/ingress/acme/client.ts'
import { createHostRequest } from '#security/host-request.ts'
import { startPebble } from '../../support/pebble.ts'

test('a real authority gives a certificate to who answers its question, and none to others', async () => {
  const answers = new Map<string, string>()
  const server = createServer((request, response) => {
    const answer = answers.get(request.url ?? '')
    response.writeHead(answer === undefined ? 404 : 200).end(answer)
  }).listen(25_002, '127.0.0.1')
  await once(server, 'listening')
  try {
    await using pebble = await startPebble({ port: 24_000, httpPort: 25_002, address: '127.0.0.1' })
    using wait = startWait({ timeoutMs: 60_000 })
    const settings = { directory: pebble.directory, trust: pebble.trust, email: 'a@example.com' }
    const key = AccountKey.generate()
    const client = await AcmeClient.open(settings, key, wait)
    const request = await createHostRequest('app.example.com')
    const chain = await client.certificate(
      'app.example.com',
      request,
      async ({ token, answer }) => void answers.set(`/.well-known/acme-challenge/${token}`, answer),
      wait,
    )
    assert.equal(new X509Certificate(chain).checkHost('app.example.com'), 'app.example.com')
    // The same account again, as after a restart; and a host that nobody answers for.
    const again = await AcmeClient.open(settings, AccountKey.read(key.pem), wait)
    const refused = again.certificate(
      'b.example.com',
      await createHostRequest('b.example.com'),
      async () => undefined,
      wait,
    )
    await assert.rejects(refused, /no certificate for b\.example\.com: .*404/)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
