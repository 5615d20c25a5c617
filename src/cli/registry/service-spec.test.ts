import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registryServiceSpec } from './service-spec.ts'

const wish = { name: 'registry', image: 'registry:2', port: 5000, nodeId: 'n1', reserve: 256, secrets: {} }

test('a registry runs where its images are, at a port of every node', () => {
  const spec = registryServiceSpec(wish) as {
    TaskTemplate: { Placement: object; ContainerSpec: { Env: string[]; Mounts: object[] } }
    EndpointSpec: { Ports: object[] }
  }
  assert.deepEqual(spec.TaskTemplate.Placement, { Constraints: ['node.id==n1'] })
  assert.deepEqual(spec.TaskTemplate.ContainerSpec.Mounts, [
    { Type: 'volume', Source: 'mure-registry-registry', Target: '/var/lib/registry' },
  ])
  assert.deepEqual(spec.EndpointSpec.Ports, [
    { Protocol: 'tcp', TargetPort: 5000, PublishedPort: 5000, PublishMode: 'ingress' },
  ])
  assert.ok(spec.TaskTemplate.ContainerSpec.Env.every((line) => !/AUTH|TLS/.test(line)))
})

test('passwords and keys come as secrets, and the settings name their files', () => {
  const secret = (name: string) => ({ id: `id-${name}`, name })
  const secrets = { htpasswd: secret('h'), certificate: secret('c'), key: secret('k') }
  const spec = registryServiceSpec({ ...wish, secrets }) as {
    TaskTemplate: { ContainerSpec: { Env: string[]; Secrets: { File: { Name: string } }[] } }
  }
  const { Env, Secrets } = spec.TaskTemplate.ContainerSpec
  assert.deepEqual(
    Secrets.map(({ File }) => File.Name),
    ['registry-htpasswd', 'registry-certificate', 'registry-key'],
  )
  for (const line of [
    'REGISTRY_AUTH=htpasswd',
    'REGISTRY_AUTH_HTPASSWD_PATH=/run/secrets/registry-htpasswd',
    'REGISTRY_HTTP_TLS_CERTIFICATE=/run/secrets/registry-certificate',
    'REGISTRY_HTTP_TLS_KEY=/run/secrets/registry-key',
  ])
    assert.ok(Env.includes(line), line)
})
