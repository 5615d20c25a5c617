import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { forward } from './forward.ts'
import { writeHostsFile } from './host-files.ts'
import { startHost } from './host.ts'
import { seedRegistry } from './images/seed.ts'
import { holdLock, lockLab } from './lock.ts'
import { ensureWire, setCable } from './network.ts'
import { untilUp } from './operations.ts'
import { planLab } from './plan.ts'
import type { LabWish } from './plan.ts'
import { listLabs, machinesOf, readLab, registryOf, writeLab } from './record.ts'
import type { LabRecord } from './record.ts'
import { formSwarm } from './swarm.ts'

export interface UpOptions extends LabWish {
  /** Whether the hosts are made one cluster. */
  readonly swarm: boolean
  /** Hears each step as it begins. */
  readonly say: (text: string) => void
  readonly signal?: AbortSignal | undefined
}

/** Eight hosts on two slow cores take a minute; beyond this, something hangs. */
const upTimeoutMs = 300_000

export const registryPort = 5000

/** Brings a lab up, or completes one that is there in part. Ends when everything answers. */
export async function labUp(options: UpOptions): Promise<LabRecord> {
  const { name, say } = options
  using wait = startWait({ timeoutMs: upTimeoutMs, signal: options.signal, what: 'the lab to come up' })
  await using _lock = await lockLab(name, wait, say)
  const { lab, before } = await recordPlan(options, wait)
  say(
    `${before === undefined ? 'making' : 'completing'} lab "${name}": ${lab.hosts.map((host) => host.name).join(' ')}`,
  )
  await ensureWire(lab)
  await seedRegistry(name, wait, say)
  // One after the other, as they share the wire; each takes some milliseconds.
  for (const host of lab.hosts) {
    await startHost(lab, host, wait)
    await writeHostsFile(lab, host)
    await setCable(lab, host, 'up')
  }
  const registry = registryOf(lab)
  const forwarded = await forward(
    lab,
    [{ port: registryPort, to: `${registry.address}:${String(registryPort)}` }],
    wait,
  )
  say('waiting for the engines')
  await Promise.all(machinesOf(lab).map((host) => untilUp(lab, host, wait)))
  if (options.swarm) await formSwarm(lab, wait, say)
  return forwarded
}

/** On disk before any of it is made; and one lab at a time, as they share out the subnets. */
async function recordPlan(
  wish: LabWish,
  wait: Wait,
): Promise<{ lab: LabRecord; before: LabRecord | undefined }> {
  await using _lock = await holdLock('.plans', wait, () => undefined)
  const before = await readLab(wish.name)
  const taken = (await listLabs()).map((lab) => lab.index)
  const lab = planLab(wish, before, taken)
  await writeLab(lab)
  return { lab, before }
}
