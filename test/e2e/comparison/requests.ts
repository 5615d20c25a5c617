import { api, docker, undone } from './case.ts'
import type { Case } from './case.ts'
import { image } from './services.ts'

const filtered = (path: string, filters: unknown): Case =>
  api(
    'GET',
    `${path}?filters=${encodeURIComponent(typeof filters === 'string' ? filters : JSON.stringify(filters))}`,
  )

/** What every list takes for `filters`, and what it does not. */
const malformed = (path: string): readonly Case[] =>
  [
    '{',
    '5',
    '"name"',
    'null',
    '{"name":5}',
    '{"name":["a",5]}',
    '{"name":{"a":5}}',
    '{"name":null}',
    '{}',
  ].map((text) => filtered(path, text))

const unknown = (path: string): readonly Case[] => [
  filtered(path, { color: ['red'] }),
  filtered(path, { color: [] }),
  filtered(path, { Name: ['a'] }),
]

const empty = (path: string, names: readonly string[]): readonly Case[] =>
  names.flatMap((name) => [
    filtered(path, { [name]: ['nothing-like-it'] }),
    filtered(path, { [name]: [''] }),
    filtered(path, { [name]: [] }),
    filtered(path, { [name]: { 'nothing-like-it': false } }),
  ])

/** Lists of a cluster that has a service, a secret, a config and a network. */
export const lists: readonly Case[] = [
  docker(
    `service create --detach --no-resolve-image --name one --label a=b --label c= --replicas 0 ${image}`,
  ),
  docker('secret create --label a=b s1 -', 'x'),
  docker('config create --label a=b c1 -', 'x'),
  docker('network create -d overlay --label a=b --subnet 10.90.0.0/24 n1'),
  ...['/nodes', '/services', '/tasks', '/secrets', '/configs'].flatMap((path) => [
    ...malformed(path),
    ...unknown(path),
  ]),
  ...empty('/nodes', ['id', 'label', 'name', 'node.label', 'role', 'membership']),
  ...empty('/services', ['id', 'label', 'name', 'mode']),
  ...empty('/tasks', ['id', 'label', 'name', 'desired-state', 'runtime', '_up-to-date']),
  filtered('/tasks', { service: [''] }),
  filtered('/tasks', { node: [''] }),
  filtered('/tasks', { 'up-to-date': ['true'] }),
  ...empty('/secrets', ['id', 'label', 'name', 'names']),
  ...empty('/configs', ['id', 'label', 'name']),
  filtered('/configs', { names: ['c1'] }),
  ...['/services', '/secrets', '/configs'].flatMap((path) => [
    filtered(path, { label: ['a'] }),
    filtered(path, { label: ['a='] }),
    filtered(path, { label: ['a=b'] }),
    filtered(path, { label: ['a=b', 'z'] }),
    filtered(path, { label: ['A=b'] }),
  ]),
  filtered('/services', { label: ['c'] }),
  filtered('/services', { label: ['c='] }),
  filtered('/services', { name: ['ONE'] }),
  filtered('/services', { name: ['on', 'x'] }),
  filtered('/services', { mode: ['replicated'] }),
  filtered('/services', { mode: ['Replicated'] }),
  filtered('/networks', { label: ['a=b'], driver: ['overlay'] }),
  filtered('/networks', { name: ['n1'] }),
  filtered('/networks', { id: ['zz'] }),
  filtered('/networks', { driver: ['odd'] }),
  filtered('/networks', '{"name":5}'),
  filtered('/networks', '{'),
  filtered('/networks', { color: ['red'] }),
  ...['', '1', 'maybe', 'True', 'no'].flatMap((flag) => [
    api('GET', `/services?status=${flag}&filters={"name":["one"]}`),
    api('GET', `/services/one?insertDefaults=${flag}`),
    api('GET', `/networks/n1?verbose=${flag}`),
  ]),
  api('GET', '/services/{id:services/one}'),
  api('GET', '/secrets/{id:secrets/s1}'),
  api('GET', '/configs/{id:configs/c1}'),
  api('GET', '/networks/{id:networks/n1}'),
  // What the CLI always says, other clients leave out.
  api('POST', '/services/create', {
    Name: 'bare',
    TaskTemplate: { ContainerSpec: { Image: image }, RestartPolicy: { Condition: 'none' } },
    Mode: { Replicated: { Replicas: 0 } },
  }),
  api('GET', '/services/bare'),
  api('GET', '/services/bare?insertDefaults=1'),
  docker('service rm one bare'),
  docker('secret rm s1'),
  docker('config rm c1'),
  docker('network rm n1'),
]

const nodeUpdate = (body: unknown, note: string): Case =>
  api('POST', '/nodes/{host}/update?version={version:nodes/{host}}', body, note)
const swarmUpdate = (body: unknown, note = ''): Case =>
  api('POST', '/swarm/update?version={version:swarm}', body, note)

/** Changes of the cluster that cannot be. */
export const refusedChanges: readonly Case[] = [
  nodeUpdate({ Role: 'boss', Availability: 'active' }, 'odd role'),
  nodeUpdate({ Role: 'manager', Availability: 'asleep' }, 'odd availability'),
  nodeUpdate({ Role: 'manager', Availability: 'active', Labels: ['a'] }, 'labels are a list'),
  nodeUpdate({ Role: 5, Availability: 'active' }, 'role is a number'),
  nodeUpdate({ Role: 'worker', Availability: 'active' }, 'the last manager'),
  nodeUpdate('', 'no body'),
  nodeUpdate('{"Role":', 'truncated'),
  nodeUpdate('[]', 'a list'),
  api('POST', '/nodes/nobody/update?version=1', { Role: 'worker', Availability: 'active' }),
  api('POST', '/nodes/{host}/update?version=x', { Role: 'manager', Availability: 'active' }),
  api('POST', '/nodes/{host}/update?version=-1', { Role: 'manager', Availability: 'active' }),
  api('DELETE', '/nodes/{host}'),
  api('DELETE', '/nodes/{host}?force=1'),
  api('DELETE', '/nodes/nobody?force=1'),
  swarmUpdate('', 'no body'),
  swarmUpdate('[]', 'a list'),
  swarmUpdate({ Name: 'default', Labels: ['a'] }, 'labels are a list'),
  swarmUpdate({ Name: 'default', Orchestration: 5 }, 'orchestration'),
  swarmUpdate({ Name: 'default', Dispatcher: { HeartbeatPeriod: 'x' } }, 'heartbeat is text'),
  swarmUpdate({ Name: 'default', Dispatcher: { HeartbeatPeriod: -5 } }, 'negative heartbeat'),
  swarmUpdate({ Name: 'default', CAConfig: { NodeCertExpiry: 5 } }, 'short expiry'),
  swarmUpdate({ Name: 'default', CAConfig: { SigningCACert: 'nonsense' } }, 'no certificate'),
  swarmUpdate({ Name: 'default', CAConfig: { SigningCAKey: 'nonsense' } }, 'a key alone'),
  swarmUpdate({ Name: 'default', CAConfig: { ExternalCAs: [{ Protocol: 'odd', URL: 'https://a' }] } }, 'ca'),
  api('POST', '/swarm/update?version={version:swarm}&rotateManagerToken=2', { Name: 'default' }),
  api('POST', '/swarm/update?version={version:swarm}&rotateManagerUnlockKey=x', { Name: 'default' }),
  // What an update does not say stays as it was with Mure, and is nothing afterwards with Docker.
  docker('swarm update --task-history-limit 5 --dispatcher-heartbeat 5s --cert-expiry 2160h'),
  api('POST', '/swarm/unlock', '', 'no body'),
  api('POST', '/swarm/unlock', { UnlockKey: 5 }),
  api('POST', '/swarm/unlock', { UnlockKey: 'SWMKEY-1-x' }),
  api('POST', '/swarm/join', '', 'no body'),
  api('POST', '/swarm/init', '', 'no body'),
  api('POST', '/swarm/leave?force=no'),
  api('POST', '/swarm/leave?force=0'),
  ...['secrets', 'configs'].flatMap((kind) => [
    api('POST', `/${kind}/nope/update?version=x`, { Name: 'a' }),
    api('POST', `/${kind}/nope/update?version=1`, ''),
    api('POST', `/v1.36/${kind}/create`, { Name: 't', Data: 'eA==', Templating: { Name: 'golang' } }),
    api('GET', `/${kind}/`),
    api('DELETE', `/${kind}/`),
  ]),
]

const network = (note: string, body: object): Case =>
  undone(api('POST', '/networks/create', { Name: 'odd', Driver: 'overlay', ...body }, note), (host) =>
    host.api('DELETE', '/v1.41/networks/odd'),
  )
const pool = (...Config: object[]) => ({ IPAM: { Config } })

/** Networks that cannot be, and some that can. */
export const refusedNetworks: readonly Case[] = [
  network('no pool', {}),
  network('gateway without subnet', pool({ Gateway: '10.91.0.1' })),
  network('range without subnet', pool({ IPRange: '10.91.0.0/25' })),
  network('range outside', pool({ Subnet: '10.91.0.0/24', IPRange: '10.92.0.0/25' })),
  network('bad range', pool({ Subnet: '10.91.0.0/24', IPRange: 'x' })),
  network('bad gateway', pool({ Subnet: '10.91.0.0/24', Gateway: 'x' })),
  network('auxiliary outside', pool({ Subnet: '10.91.0.0/24', AuxiliaryAddresses: { a: '10.92.0.5' } })),
  network('auxiliary', pool({ Subnet: '10.91.0.0/24', AuxiliaryAddresses: { a: '10.91.0.5' } })),
  network('host bits', pool({ Subnet: '10.91.0.7/24' })),
  network('tiny', pool({ Subnet: '10.91.0.0/31' })),
  network('one address', pool({ Subnet: '10.91.0.0/32' })),
  network('two pools', pool({ Subnet: '10.91.0.0/24' }, { Subnet: '10.92.0.0/24' })),
  network('the same pool twice', pool({ Subnet: '10.91.0.0/24' }, { Subnet: '10.91.0.0/24' })),
  network('pools are text', { IPAM: { Config: 'x' } }),
  network('labels are a list', { Labels: ['a'] }),
  network('options are text', { Options: 'x' }),
  network('attachable is text', { Attachable: 'yes' }),
  network('local scope', { Scope: 'local' }),
  network('odd scope', { Scope: 'odd' }),
  network('config from nothing', { ConfigFrom: { Network: 'nope' } }),
  network('config only', { ConfigOnly: true }),
  network('ingress and attachable', { Ingress: true, Attachable: true }),
  network('long name', { Name: 'x'.repeat(300) }),
  network('dotted name', { Name: 'a.b' }),
  network('slashed name', { Name: 'a/b' }),
  network('name of a number', { Name: 5 }),
  network('no driver', { Driver: '' }),
  api('POST', '/networks/create', '', 'no body'),
  api('POST', '/networks/create', '{', 'truncated'),
  api('POST', '/networks/nope/connect', { Container: 'x' }),
  api('POST', '/networks/nope/connect', ''),
  api('POST', '/networks/nope/connect', '{'),
  api('POST', '/networks/nope/disconnect', { Container: 'x' }),
  api('POST', '/networks/ingress/connect', { Container: 'x' }),
  api('POST', '/networks/bridge/connect', {}, 'no container'),
  api('POST', '/networks/bridge/disconnect', {}, 'no container'),
  api('POST', '/networks/ingress/disconnect', { Container: 'x' }),
  api('DELETE', '/networks/host'),
  api('DELETE', '/networks/none'),
  api('POST', '/networks/prune?filters={"color":["red"]}'),
  api('POST', '/networks/prune?filters={'),
  api('POST', '/networks/prune?filters={"until":["x"]}'),
  api('POST', '/networks/prune?filters={"label":["never=there"]}'),
]

/** Clients of other versions, and odd ways of asking. */
export const otherVersions: readonly Case[] = [
  ...['1.24', '1.30', '1.38', '1.39', '1.40'].flatMap((version) => [
    api('POST', `/v${version}/services/create`, {
      Name: 'older',
      TaskTemplate: {
        ContainerSpec: {
          Image: image,
          Sysctls: { 'net.core.somaxconn': '9' },
          CapabilityAdd: ['NET_ADMIN'],
          Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }],
        },
        Resources: { Limits: { Pids: 7 } },
        Placement: { MaxReplicas: 1 },
      },
      Mode: { Replicated: { Replicas: 0 } },
    }),
    api('GET', `/v${version}/services/older`),
    api('GET', `/v${version}/services?status=1`),
    api('DELETE', `/v${version}/services/older`),
  ]),
  api('POST', '/v1.40/services/create', {
    Name: 'job',
    TaskTemplate: { ContainerSpec: { Image: image }, Placement: { Constraints: ['node.labels.no==1'] } },
    Mode: { ReplicatedJob: {} },
  }),
  api('GET', '/v1.40/services/job'),
  api('DELETE', '/services/job'),
  api('GET', '/v1.11/services'),
  api('GET', '/v1.99/services'),
  api('GET', '/v1/services'),
  api('GET', '/vx/services'),
  api('PUT', '/services'),
  api('POST', '/services'),
  api('GET', '/services/'),
  api('GET', '/services/a/b'),
  api('DELETE', '/services/'),
  api('GET', '/nodes/'),
  api('HEAD', '/services'),
  api('GET', '/tasks/nope/logs?stdout=1'),
  api('GET', '/tasks/nope/logs'),
  api('GET', '/services/nope/logs?stderr=no'),
  api('GET', '/services/nope/logs?stdout=yes'),
  api('GET', '/events?filters={"color":["red"]}&until=1'),
  api('GET', '/events?filters={&until=1'),
  api('GET', '/events?since=x'),
  api('GET', '/events?until=x'),
  api('GET', '/events?since=5&until=1'),
  api('GET', '/containers/json?filters={"network":["nope"]}'),
  api('GET', '/containers/json?filters={"is-task":["true"]}'),
  api('GET', '/containers/json?filters={'),
  api('GET', '/containers/json?filters={"color":["red"]}'),
  api('GET', '/containers/nope/json'),
  api('GET', '/containers/nope/json?size=1'),
]
