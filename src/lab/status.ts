import { hostPid } from './host.ts'
import { pluggedHosts } from './network.ts'
import { ask, engineSocket, swarmState } from './probe.ts'
import { listLabs } from './record.ts'
import type { LabHost, LabRecord } from './record.ts'

/** What a lab's host is like at this moment. */
export interface HostStatus {
  readonly lab: string
  readonly host: string
  readonly role: LabHost['role']
  readonly kind: LabHost['kind']
  readonly address: string
  /** The first process as this machine numbers it; null while the host is off. */
  readonly pid: number | null
  readonly power: 'on' | 'off'
  readonly cable: 'plugged' | 'pulled'
  /** Whether its engine answers; null on a host that has none. */
  readonly engine: 'up' | 'down' | null
  /** Its part in the swarm, as the Docker API there says it; null where nothing answers. */
  readonly swarm: string | null
}

export async function labStatus(labs?: readonly LabRecord[]): Promise<HostStatus[]> {
  const perLab = (labs ?? (await listLabs())).map(async (lab) => {
    const plugged = await pluggedHosts(lab)
    return Promise.all(lab.hosts.map((host) => hostStatus(lab, host, plugged.has(host.name))))
  })
  return (await Promise.all(perLab)).flat()
}

async function hostStatus(lab: LabRecord, host: LabHost, plugged: boolean): Promise<HostStatus> {
  const { name, role, kind, address } = host
  const pid = await hostPid(lab, host)
  const hasEngine = kind !== 'registry'
  const [engine, swarm] = hasEngine
    ? await Promise.all([ask(lab, host, engineSocket(host), '/_ping'), swarmState(lab, host)])
    : []
  return {
    ...{ lab: lab.name, host: name, role, kind, address, pid: pid ?? null },
    power: pid === undefined ? 'off' : 'on',
    cable: plugged ? 'plugged' : 'pulled',
    engine: hasEngine ? (engine === undefined ? 'down' : 'up') : null,
    swarm: swarm ?? null,
  }
}
