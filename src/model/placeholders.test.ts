import assert from 'node:assert/strict'
import test from 'node:test'
import type { NodeId, ServiceId } from './id.ts'
import { aTask } from './testing/builders.ts'
import { expandPlaceholders } from './placeholders.ts'

const node = { id: 'n1', hostname: 'worker01', architecture: 'x86_64', os: 'linux' }
const task = aTask({
  slot: 3,
  nodeId: 'n1' as NodeId,
  serviceId: 's1' as ServiceId,
  serviceLabels: { tier: 'front', 'com.example.zone': 'a' },
})
const expand = (text: string) => expandPlaceholders(text, task, node)

test("Docker's documented placeholders", () => {
  const { id } = task.meta
  assert.equal(expand('{{.Node.Hostname}}-{{ .Task.Slot }}'), 'worker01-3')
  assert.equal(
    expand('{{.Service.ID}} {{.Service.Name}} {{.Node.ID}} {{.Task.ID}} {{.Task.Name}}'),
    `s1 web n1 ${id} web.3.${id}`,
  )
  assert.equal(expand('{{.Node.Platform.OS}}/{{.Node.Platform.Architecture}}'), 'linux/x86_64')
  assert.equal(expand('{{.Service.Labels}}'), 'map[com.example.zone:a tier:front]')
  assert.equal(expand('{{.Service.Labels.tier}}{{index .Service.Labels "com.example.zone"}}'), 'fronta')
  assert.equal(expand('{{index .Service.Labels "none"}}'), '')
})

test('the slot of a global task is its node', () => {
  assert.equal(expandPlaceholders('{{.Task.Slot}}', aTask({ slot: 0, nodeId: 'n1' as NodeId }), node), 'n1')
})

test('join, quoted text, comments and trimming', () => {
  assert.equal(expand('{{join "." .Service.Name .Task.Slot}}'), 'web.3')
  assert.equal(expand('{{"{"}}{{`x`}}{{/* nothing */}}'), '{x')
  assert.equal(expand('a {{- .Task.Slot -}} b'), 'a3b')
})

test('plain text stays as it is', () => {
  assert.equal(expand('}} { {x} $HOME'), '}} { {x} $HOME')
})

test('what is not offered is refused with its name', () => {
  assert.throws(
    () => expand('{{.Node.Secret}}'),
    /template: expansion:1:2: executing "expansion" at <\.Node\.Secret>: can't evaluate field Secret in type struct \{ ID/,
  )
  assert.throws(() => expand('{{.Node'), /template: expansion:1: unclosed action/)
  assert.throws(
    () => expand('{{printf "%s" .Task.ID}}'),
    /template: expansion:1: function "printf" not defined/,
  )
  assert.throws(() => expand('{{.Service.Labels.none}}'), /does not have: none/)
  assert.throws(() => expand('{{join "," .Service.Labels}}'), /all labels where a text is needed/)
  assert.throws(() => expand('{{"\\x"}}'), /not well quoted/)
  assert.throws(() => expand('{{constructor}}'), /function "constructor" not defined/)
  assert.equal(expand('{{index .Service.Labels "constructor"}}'), '')
  assert.throws(() => expand('{{}}'), /is not one that tasks offer/)
})
