/** Where Mure differs on purpose. Each pattern meets the line of a difference: case, place, and what both say. */
export const wanted: readonly { readonly where: RegExp; readonly why: string }[] = [
  {
    where: /status: Docker says 500, Mure 40[04]$/,
    why: "what is wrong with a request is the client's fault, also where Docker lets it pass for its own",
  },
  {
    where: /^POST \/networks\/create: status: Docker says 500, Mure 503$/,
    why: 'a host that is in no swarm is unavailable, as for every other object',
  },
  {
    where: /must be? an? (?:non-zero )?IP address or network interface .*Mure ".*: \\"/,
    why: 'an address that is none is named',
  },
  {
    where: /Dispatcher\.HeartbeatPeriod: Docker says 5000000000, Mure 1000000000$/,
    why: 'heartbeats of 1 s',
  },
  {
    where: /DefaultAddrPool: Docker says null, Mure \["<address>"\]$/,
    why: 'Docker forgets its default pool when a host leaves',
  },
  {
    where: /^docker swarm update --(?:task-history-limit -2|dispatcher-heartbeat 10ms)/,
    why: 'settings that no cluster works with are refused',
  },
  {
    where: /^GET \/swarm \(at last\): body\.Spec\.(?:Raft|CAConfig)\./,
    why: 'what an update does not name stays as it was',
  },
  {
    where: /^GET \/services\/said\/logs\?\S+: type: Docker says "", Mure "application\/vnd\.docker/,
    why: 'logs have the media type that newer engines give them',
  },
  {
    where: /Docker says ".*\*:8181->81\/tcp,\*:8181->81\/tcp/,
    why: 'a port of a host is listed once',
  },
  { where: /docker_gwbridge/, why: 'the bridge to the outside is made once a task needs it' },
  {
    where: /^docker network ls --filter (?:type|dangling)=.*ingress/,
    why: 'the ingress network is on no engine until something is published',
  },
  {
    where: /^docker network inspect ingress: stdout\[0\]\.(?:Containers|Peers)/,
    why: 'the routing mesh needs no container of its own',
  },
  {
    where: /^docker network create -d overlay --subnet \S+ other:/,
    why: 'two networks of one subnet could never both work: refused at once',
  },
  { where: /^GET \/networks\/net\?scope=odd/, why: 'a scope that is none finds what there is' },
  {
    where: /^docker network inspect ingress: stdout\[0\]\.(?:EnableIPv6|IPAM\.Config): /,
    why: 'published ports answer over IPv6 too',
  },
  {
    where: /^docker service inspect lan: stdout\[0\]\.Endpoint\./,
    why: 'a network of each host’s own gives no virtual address, and none is listed',
  },
  { where: /^docker network ls --filter name=ful:/, why: 'a part of a name is enough, as documented' },
  {
    where: /^POST \/services\/create \(more behind\)/,
    why: 'what comes behind the spec is not dropped in silence',
  },
  {
    where:
      /^POST \/services\/create \((?:empty mount|mount without target|bind without source|relative (?:bind source|target)|tmpfs with source|negative grace|foreign mount options|isolation)\)/,
    why: 'what no engine would run is refused at once',
  },
  {
    where:
      /^POST \/services\/create \((?:no target port|port out of range|published out of range|odd protocol|odd publish mode)\)/,
    why: 'ports that cannot be are refused',
  },
  {
    where: /Must be at least 0\.001; invalid memory value/,
    why: 'all that is wrong is said, not the first alone',
  },
  {
    where: /code = Unknown desc = .*code = InvalidArgument desc = /,
    why: 'a constraint that does not parse is an invalid argument',
  },
  {
    where: /^POST \/services\/nope\/update\?version=1: /,
    why: 'whether the service is there is looked at before its new spec',
  },
  {
    where: /^POST \/networks\/create \((?:auxiliary outside|the same pool twice)\)/,
    why: 'addresses that no task could have are refused',
  },
  {
    where: /^POST \/swarm\/update\S* \(no certificate\)/,
    why: 'a root that is no certificate is refused, also while no key comes with it',
  },
  {
    where: /^GET \/v1\.24\/services\S*: body\S*\.Image: Docker says ".*@<digest>"/,
    why: 'digests are for clients to ask for: those since 1.30 do',
  },
  { where: /rollback=odd: body\.message/, why: 'the query is looked at before the body' },
  { where: /--oom-score-adj|client version 1\.99 is too new/, why: 'a newer API is served' },
  {
    where: /--credential-spec file:\/\/x/,
    why: 'credential specs are a feature of Windows: refused at once',
  },
]
