import { errorText, MureError } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { apiSocket, ask, swarmState } from './probe.ts'
import type { SwarmState } from './probe.ts'
import { machinesOf } from './record.ts'
import type { LabHost, LabRecord } from './record.ts'
import { runIn } from './run.ts'

const clusterPort = 2377
const joinTimeoutMs = 60_000

/**
 * Makes the lab's hosts one cluster, by the very commands that a person would type. Hosts that are in it stay.
 * Managers join one after the other, as each changes the quorum; workers all at once.
 */
export async function formSwarm(lab: LabRecord, wait: Wait, say: (text: string) => void): Promise<void> {
  const hosts = machinesOf(lab)
  const states = new Map<LabHost, SwarmState>()
  await Promise.all(hosts.map(async (host) => states.set(host, await settledState(lab, host, wait))))
  const outside = (role: LabHost['role']) =>
    hosts.filter((host) => host.role === role && states.get(host) === 'inactive')
  let entry = hosts.find((host) => states.get(host) === 'manager')
  if (entry === undefined) {
    entry = outside('manager')[0]
    // All managers are on their way back, each by what it remembers.
    if (entry === undefined) return await untilReady(lab, hosts, wait)
    await docker(lab, entry, ['swarm', 'init', '--advertise-addr', entry.address], wait, say)
    states.set(entry, 'manager')
  }
  const first = entry
  const join = async (host: LabHost, token: string) => {
    const where = `${first.address}:${String(clusterPort)}`
    const command = ['swarm', 'join', '--token', token, '--advertise-addr', host.address, where]
    await docker(lab, host, command, wait, say)
  }
  const managers = outside('manager')
  if (managers.length > 0) {
    const token = await joinToken(lab, first, 'manager', wait)
    for (const host of managers) {
      await join(host, token)
      await untilReachable(lab, first, host, wait)
    }
  }
  const workers = outside('worker')
  if (workers.length > 0) {
    const token = await joinToken(lab, first, 'worker', wait)
    await Promise.all(workers.map((host) => join(host, token)))
  }
  await untilReady(lab, hosts, wait)
}

/** Once the host knows: neither on its way up nor joining. */
async function settledState(lab: LabRecord, host: LabHost, wait: Wait): Promise<SwarmState> {
  for (;;) {
    const state = await swarmState(lab, host)
    if (state !== undefined && state !== 'pending') return state
    wait.note(`${host.name} to say whether it is in a swarm`)
    await sleep(50, wait.signal)
  }
}

async function joinToken(lab: LabRecord, host: LabHost, role: string, wait: Wait): Promise<string> {
  const command = ['docker', 'swarm', 'join-token', '--quiet', role]
  return (await runIn(lab, host, command, { signal: wait.signal })).trim()
}

async function docker(
  lab: LabRecord,
  host: LabHost,
  args: readonly string[],
  wait: Wait,
  say: (text: string) => void,
): Promise<void> {
  const shown = `${host.name}: docker ${withoutTokens(args.join(' '))}`
  say(shown)
  wait.note(shown)
  try {
    await runIn(lab, host, ['docker', ...args], { signal: wait.signal, timeoutMs: joinTimeoutMs })
  } catch (error) {
    wait.check()
    const said = errorText(error).split('): ').at(-1) ?? ''
    throw new MureError('unavailable', `${shown}: ${withoutTokens(said)}`)
  }
}

/** A token is a secret: it is not for screens and logs. */
const withoutTokens = (text: string): string => text.replaceAll(/SWMTKN-\S+/g, 'SWMTKN-…')

interface NodeAnswer {
  readonly Description?: { readonly Hostname?: string }
  readonly Status?: { readonly State?: string }
  readonly ManagerStatus?: { readonly Reachability?: string }
}

/** The nodes as this manager sees them; undefined while it cannot say. */
async function nodesSeenBy(lab: LabRecord, manager: LabHost): Promise<NodeAnswer[] | undefined> {
  const answer = await ask(lab, manager, apiSocket, '/nodes')
  return answer === undefined ? undefined : (JSON.parse(answer.body) as NodeAnswer[])
}

/** Until the new manager counts: the next one would change the quorum before it has its vote. */
async function untilReachable(lab: LabRecord, first: LabHost, joined: LabHost, wait: Wait): Promise<void> {
  wait.note(`${joined.name} to be a reachable manager`)
  for (;;) {
    const node = (await nodesSeenBy(lab, first))?.find((other) => other.Description?.Hostname === joined.name)
    if (node?.ManagerStatus?.Reachability === 'reachable') return
    await sleep(50, wait.signal)
  }
}

/** Until some manager counts every host as ready. */
async function untilReady(lab: LabRecord, hosts: readonly LabHost[], wait: Wait): Promise<void> {
  const managers = hosts.filter(({ role }) => role === 'manager')
  for (;;) {
    const answers = await Promise.all(managers.map((host) => nodesSeenBy(lab, host)))
    let missing: string[] = hosts.map(({ name }) => name)
    for (const nodes of answers) {
      if (nodes === undefined) continue
      const ready = nodes
        .filter((node) => node.Status?.State === 'ready')
        .map((node) => node.Description?.Hostname)
      const unready = hosts.map(({ name }) => name).filter((name) => !ready.includes(name))
      if (unready.length < missing.length) missing = unready
    }
    if (missing.length === 0) return
    wait.note(`these nodes to be ready: ${missing.join(', ')}`)
    await sleep(50, wait.signal)
  }
}
