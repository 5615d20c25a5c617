import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { differences, normalised } from '../../support/compare-outcomes.ts'
import { ComparedHosts } from '../../support/compared-hosts.ts'
import { wanted } from './wanted.ts'
import type { Case } from './case.ts'
import { events } from './events.ts'
import { inactive, wrongEntries } from './inactive.ts'
import { files, networks } from './objects.ts'
import { credentials, logs, outputs } from './outputs.ts'
import { lists, otherVersions, refusedChanges, refusedNetworks } from './requests.ts'
import { refusedServices, serviceFlags, serviceUpdates, tasks } from './services.ts'
import { stacks } from './stacks.ts'
import { nodes, swarm } from './swarm.ts'

let compared: ComparedHosts

before(async () => {
  compared = await ComparedHosts.up('comparison')
})
after(() => compared[Symbol.asyncDispose]())

const seen = new Set<string>()
const settleMs = 20_000

async function differ(one: Case): Promise<string[]> {
  const deadline = performance.now() + settleMs
  for (;;) {
    const [docker, mure] = await Promise.all(compared.hosts.map((host) => one.run(host)))
    const found = differences(normalised(docker), normalised(mure))
    if (found.length === 0 || one.settles !== true || performance.now() > deadline) return found
  }
}

function compare(area: string, cases: readonly Case[]): void {
  test(area, async () => {
    const unwanted: string[] = []
    for (const one of cases)
      for (const difference of await differ(one)) {
        const line = `${one.name}: ${difference}`
        const reason = wanted.find(({ where }) => where.test(line))
        if (reason === undefined) unwanted.push(line)
        else seen.add(reason.why)
      }
    assert.deepEqual(unwanted, [])
  })
}

compare('a host in no swarm', inactive)
compare('wrong ways into a swarm', wrongEntries)
compare('the swarm', swarm)
// These see every object there is: before anything is left behind.
compare('lists and their filters', lists)
compare('changes of the cluster that are refused', refusedChanges)
compare('networks that are refused', refusedNetworks)
compare('clients of other versions', otherVersions)
compare('nodes', nodes)
compare('secrets and configs', files)
compare('networks', networks)
compare('services that are refused', refusedServices)
compare('every flag of service create', serviceFlags)
compare('every flag of service update', serviceUpdates)
compare('tasks', tasks)
compare('credentials that come with a request', credentials)
compare('logs of services', logs)
compare('what the CLI shows of services, tasks, jobs and updates', outputs)
compare('stacks', stacks)
compare('events', events)

test('every difference that is listed is still one', () => {
  assert.deepEqual(
    wanted.filter(({ why }) => !seen.has(why)).map(({ why }) => why),
    [],
  )
})
