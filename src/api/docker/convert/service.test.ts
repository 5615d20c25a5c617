import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aService } from '#model/testing/builders.ts'
import { serviceFromModel, serviceSpecFromModel, serviceSpecToModel } from './service.ts'

/** What a client gets when it inspects a service that was made of the body. */
const shown = (body: object): object =>
  JSON.parse(JSON.stringify(serviceSpecFromModel(serviceSpecToModel(body)))) as object

const plain = {
  Name: 'web',
  Labels: {},
  TaskTemplate: {
    ContainerSpec: { Image: 'web', Init: false, DNSConfig: {} },
    Resources: { Limits: {}, Reservations: {} },
    Placement: { Platforms: [{ Architecture: 'amd64', OS: 'linux' }] },
    ForceUpdate: 0,
  },
  Mode: { Replicated: { Replicas: 4 } },
  EndpointSpec: { Mode: 'vip' },
}

const rich = {
  ...plain,
  Labels: { tier: 'front' },
  TaskTemplate: {
    ContainerSpec: {
      Image: 'web',
      Labels: { a: 'b' },
      Command: ['run'],
      Args: ['it'],
      Hostname: 'h',
      Env: ['A=1'],
      Dir: '/x',
      User: '1',
      Groups: ['2'],
      TTY: true,
      OpenStdin: true,
      ReadOnly: true,
      Mounts: [
        {
          Type: 'bind',
          Source: '/a',
          Target: '/b',
          ReadOnly: true,
          BindOptions: { Propagation: 'rprivate' },
        },
        { Type: 'volume', Source: 'v', Target: '/c', VolumeOptions: { NoCopy: true, Labels: { l: 'm' } } },
        { Type: 'tmpfs', Target: '/d', TmpfsOptions: { SizeBytes: 1024, Mode: 448 } },
      ],
      StopSignal: 'SIGINT',
      StopGracePeriod: 3_000_000_000,
      Healthcheck: {
        Test: ['CMD-SHELL', 'true'],
        Interval: 1_000_000_000,
        Timeout: 1_000_000_000,
        Retries: 2,
      },
      Hosts: ['1.2.3.4 there'],
      DNSConfig: { Nameservers: ['8.8.8.8'], Search: ['x'], Options: ['ndots:1'] },
      Secrets: [{ File: { Name: 's', UID: '0', GID: '0', Mode: 292 }, SecretID: 'i', SecretName: 's' }],
      Configs: [{ File: { Name: 'c', UID: '0', GID: '0', Mode: 292 }, ConfigID: 'i', ConfigName: 'c' }],
      Isolation: 'default',
      Init: true,
      Sysctls: { 'net.core.somaxconn': '9' },
      CapabilityAdd: ['CAP_NET_ADMIN'],
      CapabilityDrop: ['CAP_CHOWN'],
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
    },
    Resources: {
      Limits: { NanoCPUs: 1_000_000_000, MemoryBytes: 10_000_000, Pids: 9 },
      Reservations: { GenericResources: [{ DiscreteResourceSpec: { Kind: 'gpu', Value: 1 } }] },
    },
    RestartPolicy: { Condition: 'on-failure', Delay: 1_000_000_000, MaxAttempts: 3, Window: 0 },
    Placement: {
      Constraints: ['node.role==worker'],
      Preferences: [{ Spread: { SpreadDescriptor: 'node.labels.zone' } }],
      MaxReplicas: 2,
    },
    Networks: [{ Target: 'n', Aliases: ['al'] }],
    LogDriver: { Name: 'json-file', Options: { 'max-size': '1m' } },
    ForceUpdate: 2,
    Runtime: 'container',
  },
  UpdateConfig: { Parallelism: 0, Delay: 1_000_000_000, FailureAction: 'rollback', Order: 'start-first' },
  RollbackConfig: { Parallelism: 2, MaxFailureRatio: 0.5, Order: 'stop-first' },
  EndpointSpec: {
    Mode: 'vip',
    Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' }],
  },
}

/** As clients with forms send it: everything is there. */
const empty = {
  ...plain,
  TaskTemplate: {
    ContainerSpec: {
      Image: 'web',
      ...{ Labels: {}, Command: null, Args: [], Hostname: '', Env: [], Dir: '', User: '', Groups: [] },
      ...{
        TTY: false,
        OpenStdin: false,
        ReadOnly: false,
        StopSignal: '',
        Hosts: [],
        Secrets: [],
        Configs: [],
      },
      Mounts: [{ Type: 'volume', Source: '', Target: '/c', ReadOnly: false, VolumeOptions: { Labels: {} } }],
      Healthcheck: { Test: [], Interval: 0, Timeout: 0, Retries: 0 },
      DNSConfig: { Nameservers: [], Search: [], Options: [] },
      ...{ Sysctls: {}, CapabilityAdd: [], CapabilityDrop: [], Ulimits: [], OomScoreAdj: 0 },
    },
    Resources: { Limits: { NanoCPUs: 0, MemoryBytes: 0 }, Reservations: { GenericResources: [] } },
    RestartPolicy: { Condition: 'any', Delay: 0, MaxAttempts: 0, Window: 0 },
    Placement: { Constraints: [], Preferences: [], MaxReplicas: 0, Platforms: [] },
    Networks: [{ Target: 'n', Aliases: [], DriverOpts: {} }],
    LogDriver: { Name: '', Options: {} },
  },
  EndpointSpec: { Mode: 'vip', Ports: [] },
}

test('what is shown and sent back changes nothing, so that no task is replaced for it', () => {
  for (const body of [plain, rich, empty]) {
    const before = serviceSpecToModel(body)
    const after = serviceSpecToModel(shown(body))
    assert.deepEqual(after.template, before.template)
    assert.deepEqual(after.endpoint, before.endpoint)
  }
})

test('what a client leaves out is shown as Docker shows it, with defaults and without', () => {
  const body = { Name: 'bare', TaskTemplate: { ContainerSpec: { Image: 'web' }, RestartPolicy: {} } }
  const service = { ...aService({}), spec: serviceSpecToModel(body) }
  const templateOf = (insertDefaults: boolean) => {
    const { Spec } = serviceFromModel(service, undefined, insertDefaults) as {
      Spec: { TaskTemplate: Record<string, unknown>; EndpointSpec?: object }
    }
    assert.equal(Spec.EndpointSpec, undefined)
    return Spec.TaskTemplate
  }
  const plainly = templateOf(false)
  assert.deepEqual([plainly['Resources'], plainly['Placement']], [undefined, undefined])
  assert.deepEqual(plainly['RestartPolicy'], { MaxAttempts: 0 })
  const whole = templateOf(true)
  assert.deepEqual([whole['Resources'], whole['Placement']], [{}, {}])
  assert.deepEqual((whole['ContainerSpec'] as Record<string, unknown>)['DNSConfig'], {})
})
