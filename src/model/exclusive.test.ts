import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mount } from './container.ts'
import { isExclusive } from './exclusive.ts'
import { aService } from './testing/builders.ts'

test('what forces the old task to stop first', () => {
  const withMount = (mount: Partial<Mount>) =>
    isExclusive(
      aService({
        template: {
          containers: [
            { name: '', image: 'x', mounts: [{ type: 'volume', source: 'data', target: '/d', ...mount }] },
          ],
        },
      }).spec,
    )
  assert.equal(withMount({}), true)
  assert.equal(withMount({ readOnly: true }), false)
  assert.equal(withMount({ source: '' }), false)
  assert.equal(withMount({ type: 'bind', source: '/srv' }), false)
  assert.equal(withMount({ volume: { labels: { 'mure.sharing': 'all' } } }), false)
  const port = { protocol: 'tcp', targetPort: 80, publishedPort: 80 } as const
  const withPort = (publishMode: 'host' | 'ingress', publishedPort = 80) =>
    isExclusive(aService({ endpoint: { ports: [{ ...port, publishedPort, publishMode }] } }).spec)
  assert.equal(withPort('host'), true)
  assert.equal(withPort('host', 0), false)
  assert.equal(withPort('ingress'), false)
})
