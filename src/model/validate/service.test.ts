import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#lib/random.ts'
import type { ContainerSpec, FileTarget, Mount } from '../container.ts'
import type { ConfigId, SecretId } from '../id.ts'
import { randomName } from '../random-name.ts'
import type { ServiceSpec, TaskTemplate } from '../service.ts'
import { aService } from '../testing/builders.ts'
import { nameProblem } from './name.ts'
import { serviceProblems } from './service.ts'

const said = (spec: Partial<ServiceSpec>): string[] =>
  serviceProblems({ ...aService().spec, ...spec }).map(({ message }) => message)
const ofTask = (template: Partial<TaskTemplate>) =>
  said({ template: { ...aService().spec.template, ...template } })
const ofContainer = (container: Partial<ContainerSpec>) =>
  ofTask({ containers: [{ name: '', image: 'busybox', ...container }] })
const ofMount = (mount: Partial<Mount>) =>
  ofContainer({ mounts: [{ type: 'bind', source: '/a', target: '/b', ...mount }] })

const file = (name: string): FileTarget => ({ name, uid: '0', gid: '0', mode: 0o444 })
const secret = (name: string, target = name) => ({
  secretId: 's' as SecretId,
  secretName: name,
  file: file(target),
})
const config = (name: string, target = name) => ({
  configId: 'c' as ConfigId,
  configName: name,
  file: file(target),
})

test('images', () => {
  for (const image of ['busybox', 'a/b:1', 'registry:5000/web', 'registry:5000/a/b:1', 'host.io/a@sha256:ab'])
    assert.deepEqual(ofContainer({ image }), [], image)
  for (const image of ['Busybox', 'A:b:c', 'a//b', ' x', 'x y'])
    assert.deepEqual(ofContainer({ image }), [`ContainerSpec: "${image}" is not a valid repository/tag`])
})

test('health checks', () => {
  assert.deepEqual(ofContainer({ healthCheck: { intervalMs: 1, timeoutMs: 0, startIntervalMs: 1 } }), [])
  for (const [field, name] of [
    ['intervalMs', 'Interval'],
    ['timeoutMs', 'Timeout'],
    ['startPeriodMs', 'StartPeriod'],
    ['startIntervalMs', 'StartInterval'],
  ] as const)
    for (const ms of [-1, 1e-6])
      assert.deepEqual(ofContainer({ healthCheck: { [field]: ms } }), [
        `ContainerSpec: ${name} in HealthConfig cannot be less than 1ms`,
      ])
  assert.deepEqual(ofContainer({ healthCheck: { retries: -1 } }), [
    'ContainerSpec: Retries in HealthConfig cannot be negative',
  ])
})

test('mounts', () => {
  assert.deepEqual(ofMount({}), [])
  assert.deepEqual(ofMount({ source: '{{.Node.Hostname}}' }), [])
  const bind = 'invalid mount config for type "bind":'
  assert.deepEqual(ofMount({ source: '' }), [`${bind} field Source must not be empty`])
  assert.deepEqual(ofMount({ target: '' }), [`${bind} field Target must not be empty`])
  assert.deepEqual(ofMount({ target: '/' }), [`${bind} invalid specification: destination can't be '/'`])
  assert.deepEqual(ofMount({ source: 'x' }), [`${bind} invalid mount path: 'x' mount path must be absolute`])
  assert.deepEqual(ofMount({ volume: { noCopy: true } }), [
    `${bind} field VolumeOptions must not be specified`,
  ])
  assert.match(ofMount({ type: 'image' })[0] ?? '', /mounts of images are not offered/)
  assert.match(ofMount({ bind: { readOnlyForceRecursive: true } })[0] ?? '', /only the top/)
  const ofVolume = ofContainer({
    mounts: [{ type: 'volume', source: 'v', target: '/b', volume: { subpath: 'a' } }],
  })
  assert.match(ofVolume[0] ?? '', /volume-subpath is not offered/)
  assert.match(ofMount({ type: 'npipe' })[0] ?? '', /mount type unknown/)
  const tmpfs: Mount = { type: 'tmpfs', target: '/b' }
  assert.match(ofMount({ type: 'tmpfs' })[0] ?? '', /field Source must not be specified/)
  assert.deepEqual(ofContainer({ mounts: [tmpfs, { ...tmpfs, type: 'volume', source: 'v' }] }), [
    'ContainerSpec: duplicate mount point: /b',
  ])
})

test('secrets and configs', () => {
  assert.deepEqual(ofContainer({ secrets: [secret('a'), secret('b')], configs: [config('a')] }), [])
  assert.deepEqual(ofContainer({ secrets: [secret('a', 'x'), secret('b', 'x')] }), [
    "secret references 'a' and 'b' have a conflicting target: 'x'",
  ])
  assert.deepEqual(ofContainer({ configs: [config('a', '/x'), config('b', 'x')] }), [
    "config references 'a' and 'b' have a conflicting target: 'x'",
  ])
  assert.match(
    ofContainer({ secrets: [secret('a', 'x')], configs: [config('b', '/run/secrets/x')] })[0] ?? '',
    /secret 'a' and config 'b' have a conflicting target/,
  )
  const { file: _, ...bare } = secret('a')
  assert.deepEqual(ofContainer({ secrets: [bare] }), ['malformed secret reference, no target provided'])
  assert.deepEqual(ofContainer({ secrets: [secret('', 'x')] }), ['malformed secret reference'])
  assert.deepEqual(ofContainer({ configs: [config('', 'x')] }), ['malformed config reference'])
})

test('placeholders', () => {
  const env = (line: string) => ofContainer({ env: [line] })
  assert.deepEqual(env('A={{.Node.Hostname}}-{{.Task.Slot}}'), [])
  assert.deepEqual(env('A={{index .Service.Labels "none"}}'), [])
  assert.deepEqual(env('A={{.Foo}}'), [
    'expanding env failed: expanding env "A={{.Foo}}": template: expansion:1:2: executing "expansion" at <.Foo>: can\'t evaluate field Foo in type *template.Context',
  ])
  assert.deepEqual(env('A={{.Service.Name'), [
    'expanding env failed: expanding env "A={{.Service.Name": template: expansion:1: unclosed action',
  ])
  assert.match(ofContainer({ hostname: '{{.Nope}}' })[0] ?? '', /^expanding hostname failed: template: exp/)
  assert.match(
    ofMount({ type: 'volume', source: '{{.Bad}}' })[0] ?? '',
    /^expanding mounts failed: expanding mount source "\{\{\.Bad\}\}": template:/,
  )
})

test('resources and what the kernel gives', () => {
  const mebi = 2 ** 20
  assert.deepEqual(
    ofTask({
      resources: { limits: { memoryBytes: 10 * mebi }, reservations: { memoryBytes: 20 * mebi } },
    }),
    ['the memory reservation is above the memory limit'],
  )
  assert.deepEqual(ofTask({ resources: { limits: { memoryBytes: 1000 } } }), [
    'invalid memory value 1000: Must be at least 4MiB',
  ])
  assert.deepEqual(ofTask({ resources: { limits: { cpuNano: 1000 } } }), [
    'invalid cpu value 1e-06: Must be at least 0.001',
  ])
  assert.deepEqual(ofContainer({ ulimits: [{ name: 'nofile', soft: 10, hard: 5 }] }), [
    'ulimit soft limit must be less than or equal to hard limit: 10 > 5',
  ])
  assert.deepEqual(ofContainer({ ulimits: [{ name: 'core', soft: -1, hard: -1 }] }), [])
  assert.deepEqual(ofContainer({ ulimits: [{ name: 'foo', soft: 1, hard: 1 }] }), [
    'invalid ulimit type: foo',
  ])
  assert.deepEqual(ofContainer({ capabilityAdd: ['CAP_NET_ADMIN', 'sys_time', 'ALL'] }), [])
  assert.deepEqual(ofContainer({ capabilityAdd: ['CAP_FOO'] }), [
    'invalid CapAdd: unknown capability: "CAP_FOO"',
  ])
  assert.deepEqual(ofContainer({ isolation: 'hyperv' }), ["invalid isolation 'hyperv' on linux"])
  assert.match(ofContainer({ privileges: { credentialSpec: { file: 'x' } } })[0] ?? '', /Windows/)
})

test('labels of ours, jobs, names', () => {
  assert.match(said({ labels: { 'mure.rotate': 'reload' } })[0] ?? '', /the label mure\.rotate is "restart"/)
  assert.deepEqual(said({ mode: { type: 'global-job' }, update: {} }), ['Jobs may not have an update config'])
  for (let attempt = 0; attempt < 200; attempt++)
    assert.deepEqual(nameProblem('service', randomName(seededRandom(attempt), attempt)), [])
})
