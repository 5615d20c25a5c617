import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { forward } from './forward.ts'
import { powerOff, startHost } from './host.ts'
import { lockLab } from './lock.ts'
import { setCable } from './network.ts'
import { apiSocket, engineSocket, untilAnswers } from './probe.ts'
import { hostOf, requireLab } from './record.ts'
import type { Forward, LabHost, LabRecord } from './record.ts'

type Say = (text: string) => void

/** A host with all of its containers is up in seconds; beyond this, something hangs. */
const timeoutMs = 60_000

/** Cuts a host's power: everything in it ends at once, and nobody is told. */
export async function stopHost(lab: string, host: string, say: Say): Promise<void> {
  await onHost(lab, host, say, powerOff)
}

/** Switches a host on, its cable plugged in. Ends when its engine and its Docker API answer. */
export async function bootHost(lab: string, host: string, say: Say): Promise<void> {
  await onHost(lab, host, say, async (record, machine, wait) => {
    await startHost(record, machine, wait)
    if (machine.kind !== 'registry') await untilUp(record, machine, wait)
  })
}

/** Pulls a host's network cable, or plugs it in again. */
export async function moveCable(lab: string, host: string, state: 'up' | 'down', say: Say): Promise<void> {
  await onHost(lab, host, say, (record, machine) => setCable(record, machine, state))
}

/** A port of a host, and the one of this machine's loopback that is to lead there if it is free. */
export interface WantedForward {
  readonly port: number
  readonly hostPort: number
}

/** Leads ports of this machine's loopback to ports of a host; the answer says which ones they became. */
export async function forwardPorts(
  lab: string,
  host: string,
  ports: readonly WantedForward[],
  say: Say,
): Promise<readonly Forward[]> {
  return onHost(lab, host, say, async (record, machine, wait) => {
    const wanted = ports.map(({ port, hostPort }) => ({ port, to: `${machine.address}:${String(hostPort)}` }))
    const { forwards } = await forward(record, wanted, wait)
    return forwards.filter((made) => wanted.some(({ to }) => to === made.to))
  })
}

export async function untilUp(lab: LabRecord, host: LabHost, wait: Wait): Promise<void> {
  await untilAnswers(lab, host, engineSocket(host), wait)
  await untilAnswers(lab, host, apiSocket, wait)
}

async function onHost<T>(
  lab: string,
  host: string,
  say: Say,
  work: (lab: LabRecord, host: LabHost, wait: Wait) => Promise<T>,
): Promise<T> {
  using wait = startWait({ timeoutMs, what: host })
  await requireLab(lab)
  await using _lock = await lockLab(lab, wait, say)
  const record = await requireLab(lab)
  return work(record, hostOf(record, host), wait)
}
