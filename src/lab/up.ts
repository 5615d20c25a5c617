import { startWait } from '#lib/wait.ts'
import { engineSocket } from './engine.ts'
import { forward, isForwarding } from './forward.ts'
import { startHost } from './host.ts'
import { makeSeedImages, seedRegistry } from './images.ts'
import { checkName, hostOf, listLabs, planLab, readLab, writeLab } from './lab.ts'
import type { HostKind, LabRecord } from './lab.ts'
import { ensureWire } from './network.ts'
import { untilRuns } from './run.ts'
import { formSwarm } from './swarm.ts'

export interface UpOptions {
  readonly name: string
  readonly managers: number
  readonly workers: number
  readonly swarm: boolean
  readonly kind: HostKind
  /** Hears each step as it begins. */
  readonly say: (text: string) => void
  readonly signal?: AbortSignal
}

const upTimeoutMs = 180_000

/** Brings a lab up, or completes one that is there in part. Ends when everything answers. */
export async function labUp(options: UpOptions): Promise<LabRecord> {
  checkName(options.name)
  using wait = startWait({ timeoutMs: upTimeoutMs, signal: options.signal, what: 'the lab to come up' })
  const existing = await readLab(options.name)
  const taken = (await listLabs()).map((lab) => lab.index)
  let lab = planLab(options, existing, taken)
  await writeLab(lab)
  options.say(
    `${existing === undefined ? 'making' : 'completing'} lab "${lab.name}": ${lab.hosts.map((host) => host.name).join(' ')}`,
  )
  await ensureWire(lab)
  const registry = hostOf(lab, 'registry')
  const seeded = await seedRegistry(lab, registry)
  // One after the other, as they share the bridge; each takes some milliseconds.
  for (const host of lab.hosts) await startHost(lab, host)
  const machines = lab.hosts.filter((host) => host.kind !== 'registry')
  options.say('waiting for the engines')
  await Promise.all(
    machines.map((host) =>
      untilRuns(
        lab,
        host,
        ['docker', '-H', engineSocket(host), 'version', '-f', '{{.Server.Version}}'],
        wait,
      ),
    ),
  )
  if (!seeded && machines[0] !== undefined) {
    options.say('making the seed images (once on this machine)')
    await makeSeedImages(lab, machines[0], registry)
  }
  if (!(await isForwarding(lab.name)) || lab.forwards.length === 0)
    lab = await forward(lab, [{ port: 5000, to: `${registry.address}:5000` }])
  await Promise.all(
    machines.map((host) => untilRuns(lab, host, ['docker', 'version', '-f', '{{.Server.Version}}'], wait)),
  )
  if (lab.swarm) {
    options.say('docker swarm init and join')
    await formSwarm(lab, wait)
  }
  return lab
}
