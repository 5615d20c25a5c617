import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atVersion, versionsIn, withContent, withoutVersions, withVersions } from './file-version.ts'
import { newId } from './id.ts'
import type { SecretId } from './id.ts'
import { rotationOf } from './rotate.ts'
import type { Secret } from './secret.ts'
import { aTask } from './testing/builders.ts'
import { seededRandom } from '#lib/random.ts'

const secret: Secret = {
  kind: 'secret',
  meta: { ...aTask().meta, name: 'key', id: newId<SecretId>(seededRandom(5)) },
  spec: { name: 'key', labels: {}, data: 'one' },
  status: {},
}
const { id } = secret.meta

test('a secret knows its newest version and the earlier ones that are needed, and no other', () => {
  assert.equal(atVersion(secret), secret)
  const second = withContent(secret, { data: 'two' }, new Set([0]))
  const third = withContent(second, { data: 'three', templating: { name: 'golang' } }, new Set([0]))
  assert.equal(third.spec.data, 'three')
  assert.deepEqual(
    [0, 1, 2].map((version) => atVersion(third, version)?.spec.data),
    ['one', undefined, 'three'],
  )
  assert.equal(atVersion(third, 0)?.spec.templating, undefined)
  assert.equal(atVersion(third, 2)?.spec.templating?.name, 'golang')
  assert.deepEqual(
    [0, 2].map((version) => atVersion(third, version)?.meta.id),
    [id, `${id}@2`],
  )
  assert.equal(atVersion(third, 2), atVersion(third, 2), 'the same object each time')
  assert.equal(atVersion(third, 2)?.status.earlier, undefined, 'no node gets more than it needs')
})

test('a template names versions, and the first version is named by nothing', () => {
  const template = {
    containers: [{ name: '', image: 'busybox', secrets: [{ secretId: id, secretName: 'key' }] }],
  }
  const second = withVersions(template, () => 2)
  assert.deepEqual([...versionsIn(second)], [[id, 2]])
  assert.deepEqual([...versionsIn(withVersions(second, () => undefined))], [[id, 2]])
  assert.deepEqual(withoutVersions(second), template)
})

test('the label that says how to rotate', () => {
  const how = (text: string) => rotationOf({ 'mure.rotate': text })
  assert.deepEqual(rotationOf({}), { how: 'restart' })
  assert.deepEqual(how('file'), { how: 'file' })
  assert.deepEqual(how('signal:HUP'), { how: 'signal', signal: 'HUP' })
  assert.deepEqual(how('signal:SIGRTMIN+3'), { how: 'signal', signal: 'SIGRTMIN+3' })
  for (const wrong of ['', 'signal', 'signal:', 'signal:hup now', 'signal:-9', 'reload'])
    assert.equal(how(wrong), undefined, wrong)
})
