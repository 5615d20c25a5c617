import { setTimeout as pause } from 'node:timers/promises'
import type { ComparedHost } from '../../support/compared-hosts.ts'
import { docker } from './case.ts'
import type { Case } from './case.ts'
import { image } from './services.ts'

interface Told {
  /** What is done, one after the other, each as in a shell. */
  readonly lines: readonly string[]
  readonly filters?: object
}

/** How long an event may be on its way. */
const tellMs = 1_500

/** What the hosts tell of something that is done: kinds, actions and attributes, in their order. */
const told = (note: string, { lines, filters = { scope: ['swarm'] } }: Told): Case => ({
  name: `events: ${note}`,
  async run(host: ComparedHost) {
    const since = Date.now() / 1_000
    for (const line of lines) {
      await docker(line, 'data').run(host)
      // Events of different kinds are in no order that either promises.
      await pause(tellMs / 3)
    }
    await pause(tellMs)
    const events = await host.events(since, Date.now() / 1_000, filters)
    return { status: 200, type: 'events', body: events }
  },
})

const service = `service create --detach --no-resolve-image --replicas 0`

export const events: readonly Case[] = [
  told('secrets', {
    lines: [
      'secret create --label a=b told -',
      'secret create --label a=b told -',
      'secret rm told',
      'secret rm told',
    ],
  }),
  told('configs', { lines: ['config create --label a=b told -', 'config rm told'] }),
  told('networks', {
    lines: ['network create -d overlay --label a=b --subnet 10.83.0.0/24 told', 'network rm told'],
  }),
  told('a service', {
    lines: [
      `${service} --label a=b --name told ${image}`,
      'service update --detach --no-resolve-image --label-add c=d told',
      'service update --detach --no-resolve-image --env-add C=d told',
      `service update --detach --no-resolve-image --image ${image} --force told`,
      'service rollback --detach told',
      'service scale --detach told=0',
      'service rm told',
    ],
  }),
  told('a service that is scaled', {
    lines: [
      `${service} --constraint node.labels.never==true --name told ${image}`,
      'service scale --detach told=2',
      'service scale --detach told=1',
      'service rm told',
    ],
  }),
  told('the node', {
    lines: [
      'node update --label-add told=yes self',
      'node update --availability pause self',
      'node update --availability active self',
      'node update --label-rm told self',
    ],
  }),
  told('by type', {
    lines: ['secret create told -', 'config create told -', 'secret rm told', 'config rm told'],
    filters: { type: ['config'] },
  }),
  told('by event', {
    lines: ['secret create told -', 'config create told -', 'secret rm told', 'config rm told'],
    filters: { scope: ['swarm'], event: ['remove'] },
  }),
  told('by label', {
    lines: ['secret create --label a=b told -', 'secret rm told'],
    filters: { scope: ['swarm'], label: ['a=b'] },
  }),
  ...['service', 'secret', 'config', 'node', 'network'].map((kind) =>
    told(`by ${kind}`, {
      lines: [
        `${service} --name told ${image}`,
        'secret create told -',
        'config create told -',
        'network create -d overlay --subnet 10.83.0.0/24 told',
        'service rm told',
        'secret rm told',
        'config rm told',
        'network rm told',
      ],
      filters: { scope: ['swarm'], [kind]: ['told'] },
    }),
  ),
]
