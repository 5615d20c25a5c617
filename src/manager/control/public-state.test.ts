import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '#lib/logger.ts'
import type { Secret } from '#model/secret.ts'
import type { StoredObject } from '#model/objects.ts'
import { aCluster, aService, aTask } from '#model/testing/builders.ts'
import { StoreMirror } from '#store/mirror/mirror.ts'
import { publicState } from './public-state.ts'

test('no key, token, credential or secret leaves', () => {
  const hidden = 'HIDDEN'
  const template = { containers: [{ name: '', image: 'x', registryAuth: hidden }] }
  const cluster = aCluster()
  const service = aService({ template })
  const objects: StoredObject[] = [
    {
      ...cluster,
      status: {
        ...cluster.status,
        rootCa: {
          certificate: 'known',
          key: hidden,
          epoch: 1,
          rotation: { certificate: '', key: hidden, crossSigned: '', startedAt: cluster.meta.createdAt },
        },
        joinTokens: { worker: hidden, manager: hidden },
        unlockKey: hidden,
        accessKey: hidden,
      },
    },
    { ...service, status: { previousSpec: service.spec } },
    aTask({ spec: template }),
    {
      kind: 'secret',
      meta: { ...service.meta, id: 'secret' } as unknown as Secret['meta'],
      spec: { name: 's', labels: {}, data: hidden },
      status: { version: 1, earlier: [{ version: 0, data: hidden }] },
    },
  ]
  const view = new StoreMirror(silentLogger)
  view.replace(objects, 1)
  const text = JSON.stringify(publicState(view))
  assert.ok(text.includes('known'))
  assert.ok(!text.includes(hidden), text)
})
