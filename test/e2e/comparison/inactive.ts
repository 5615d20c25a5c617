import { api, docker, undone } from './case.ts'
import type { Case } from './case.ts'

/** A host that is in no swarm, and the ways of not getting into one. */
export const inactive: readonly Case[] = [
  api('GET', '/swarm'),
  api('GET', '/swarm/unlockkey'),
  api('POST', '/swarm/update?version=1', {}),
  api('POST', '/swarm/leave'),
  api('POST', '/swarm/leave?force=1'),
  api('POST', '/swarm/unlock', { UnlockKey: 'SWMKEY-1-7c37Cc8654o6p38HnroywCi19pllOnGtbdZEgtKxZu8' }),
  api('GET', '/nodes'),
  api('GET', '/nodes/x'),
  api('GET', '/services'),
  api('POST', '/services/create', { Name: 'web' }),
  api('GET', '/services/web'),
  api('DELETE', '/services/web'),
  api('GET', '/services/web/logs?stdout=1'),
  api('GET', '/tasks'),
  api('GET', '/tasks/x'),
  api('GET', '/tasks/x/logs?stdout=1'),
  api('GET', '/secrets'),
  api('POST', '/secrets/create', { Name: 'x', Data: 'eA==' }),
  api('GET', '/configs'),
  api('DELETE', '/configs/x'),
  api('POST', '/networks/create', { Name: 'o', Driver: 'overlay' }),
  api('GET', '/networks/nope'),
  api('DELETE', '/networks/nope'),
  docker('node ls'),
  docker('service ls'),
  docker('service create --no-resolve-image busybox'),
  docker('stack ls'),
  docker('secret ls'),
  docker('swarm join-token worker'),
  docker('swarm ca'),
  docker('swarm unlock-key'),
  docker('swarm unlock', 'nothing\n'),
  docker('swarm leave'),
  docker("info --format '{{json .Swarm}}'"),
  docker('network create -d overlay o'),
  docker('network ls'),
  docker('node ps'),
  docker('stack ps x'),
  docker('service logs x'),
]

const entries: readonly Case[] = [
  api('POST', '/swarm/init', {}, 'no addresses'),
  api('POST', '/swarm/init', '{', 'truncated'),
  api('POST', '/swarm/init', '[]', 'a list'),
  api('POST', '/swarm/init', { ListenAddr: 'nowhere' }),
  api('POST', '/swarm/init', { ListenAddr: '0.0.0.0:2377', AdvertiseAddr: '300.1.1.1' }),
  api('POST', '/swarm/init', { ListenAddr: '0.0.0.0:2377', AdvertiseAddr: 'nosuchif0' }),
  api('POST', '/swarm/init', { ListenAddr: '0.0.0.0:2377', DataPathPort: 80 }),
  api('POST', '/swarm/init', { ListenAddr: '0.0.0.0:2377', DefaultAddrPool: ['nonsense'] }),
  api('POST', '/swarm/init', { ListenAddr: '0.0.0.0:2377', DefaultAddrPool: ['10.0.0.0/8'], SubnetSize: 40 }),
  api('POST', '/swarm/init', {
    ListenAddr: '0.0.0.0:2377',
    AdvertiseAddr: 'eth0',
    Spec: { Name: 'other' },
  }),
  api('POST', '/swarm/init', {
    ListenAddr: '0.0.0.0:2377',
    AdvertiseAddr: 'eth0',
    Spec: { CAConfig: { NodeCertExpiry: 1 } },
  }),
  api('POST', '/swarm/init', { ListenAddr: '0.0.0.0:2377', AdvertiseAddr: 'eth0', Availability: 'asleep' }),
  api('POST', '/swarm/join', {}),
  api('POST', '/swarm/join', { RemoteAddrs: ['127.0.0.1:1'] }, 'no token'),
  api('POST', '/swarm/join', { RemoteAddrs: ['127.0.0.1:1'], JoinToken: 'SWMTKN-1-wrong' }),
  docker('swarm init --advertise-addr 127.0.0.1 --availability asleep'),
  docker('swarm init --data-path-port 80'),
  docker('swarm init --default-addr-pool nonsense'),
  docker('swarm init --cert-expiry 1s --advertise-addr eth0'),
  docker('swarm join --token SWMTKN-1-short 127.0.0.1:2377'),
]

/** Whoever got in all the same leaves again. */
export const wrongEntries: readonly Case[] = entries.map((one) =>
  undone(one, async (host) => {
    const info = await host.api('GET', '/v1.41/info')
    const isIn = 'body' in info && !JSON.stringify(info.body).includes('"LocalNodeState":"inactive"')
    if (isIn) await host.api('POST', '/v1.41/swarm/leave?force=1')
  }),
)
