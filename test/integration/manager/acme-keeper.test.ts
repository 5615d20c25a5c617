import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { systemRandom } from '#lib/random.ts'
import { sleep, startWait } from '#lib/wait.ts'
import { keepAcmeCertificates } from '#manager/ingress/acme/keeper.ts'
import { acmeSecretName } from '#manager/ingress/certificates.ts'
import { IngressFeed } from '#manager/ingress/feed.ts'
import { create } from '#model/change.ts'
import { aCluster, aNode, aService } from '#model/testing/builders.ts'
import { MemoryStore } from '#store/memory/store.ts'
import { startMirror } from '#store/mirror/mirror.ts'
import { LocalIngress } from '../../support/local-ingress.ts'
import { startPebble } from '../../support/pebble.ts'

test('the leader gets a certificate for a service that asks for one; the ingress answers the authority', async () => {
  await using ingress = await LocalIngress.start(28_480)
  await using pebble = await startPebble({ port: 24_100, httpPort: 28_480, address: '127.0.0.1' })
  const { httpPort, httpsPort, statisticsPort, login, cookieKey } = ingress.configuration([])
  const cluster = aCluster({
    ingress: {
      ...{ enabled: true, httpPort, httpsPort, statisticsPort, login, cookieKey },
      acme: { directory: pebble.directory, trust: pebble.trust },
    },
  })
  const node = aNode({ role: 'manager', status: { address: '127.0.0.1' } })
  const labels = { 'mure.ingress.host': 'a.example.com', 'mure.ingress.tls': 'acme' }
  const store = new MemoryStore()
  using wait = startWait({ timeoutMs: 90_000 })
  await store.transact([cluster, node, aService({ labels })].map(create), { wait })
  const stop = new AbortController()
  const mirror = await startMirror(store, stop.signal, silentLogger)
  using feed = new IngressFeed(mirror, systemClock)
  feed.add(node.meta.id, (configuration) => {
    ingress.agent.configure(configuration).catch(() => undefined)
  })
  const leadership = await store.campaign('manager', stop.signal)
  const parts = { store, mirror, clock: systemClock, random: systemRandom, logger: silentLogger }
  const keeping = keepAcmeCertificates({ ...parts, leadership })
  try {
    while (mirror.byName('secret', acmeSecretName('a.example.com')) === undefined) {
      wait.note(
        JSON.stringify(mirror.get('cluster', cluster.meta.id)?.status.acmeFailures ?? 'a certificate'),
      )
      await sleep(100, wait.signal)
    }
    // The answers to the authority are no longer needed, and what went wrong is forgotten.
    while (mirror.count('config') > 0) await sleep(50, wait.signal)
    assert.deepEqual(mirror.get('cluster', cluster.meta.id)?.status.acmeFailures ?? {}, {})
    assert.notEqual(mirror.byName('secret', 'mure-acme-account'), undefined)
  } finally {
    await leadership[Symbol.asyncDispose]()
    await keeping
    stop.abort()
  }
})
