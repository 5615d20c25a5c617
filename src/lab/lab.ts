import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'
import { MureError } from '#lib/errors.ts'

/** `mure` hosts have mured beside their engine; `engine` hosts have the engine alone, as any Docker host. */
export type HostKind = 'mure' | 'engine' | 'registry'

export interface LabHost {
  readonly name: string
  readonly kind: HostKind
  readonly role: 'manager' | 'worker' | 'registry'
  readonly address: string
}

/** What a lab is, written down before anything of it is made: so that all of it can be found again. */
export interface LabRecord {
  readonly name: string
  /** Makes addresses differ between labs. */
  readonly index: number
  readonly hosts: readonly LabHost[]
  /** Ports of this machine's loopback, and what they lead to inside. */
  readonly forwards: readonly { readonly port: number; readonly to: string }[]
  readonly swarm: boolean
}

const base = '/var/lib/mure-lab'
export const cacheDir = join(base, '.cache')

export const labDir = (lab: string): string => join(base, lab)
export const hostDir = (lab: string, host: string): string => join(base, lab, 'hosts', host)
export const namespaceOf = (lab: string, host: string): string => `mure-${lab}-${host}`
/** The bridge between the hosts lies in a namespace of its own, away from this machine's rules. */
export const wireOf = (lab: string): string => `mure-${lab}-wire`
export const cgroupOf = (lab: string, host: string): string => `/mure-lab-${lab}-${host}`

export const gatewayOf = (index: number): string => `192.168.${String(100 + index)}.1`
const maxHosts = 200
const maxLabs = 100

const labName = /^[a-z][a-z0-9]{0,15}$/

export function checkName(name: string): void {
  if (!labName.test(name))
    throw new MureError('invalid', `a lab's name is up to 16 lower-case letters and digits, not "${name}"`)
}

export async function readLab(name: string): Promise<LabRecord | undefined> {
  const text = await readFileIfThere(join(labDir(name), 'lab.json'))
  return text === undefined ? undefined : (JSON.parse(text) as LabRecord)
}

export async function requireLab(name: string): Promise<LabRecord> {
  const lab = await readLab(name)
  if (lab === undefined)
    throw new MureError('not-found', `there is no lab "${name}": make one with "mure lab up"`)
  return lab
}

export async function writeLab(lab: LabRecord): Promise<void> {
  await writeFileAtomic(join(labDir(lab.name), 'lab.json'), `${JSON.stringify(lab, null, 2)}\n`)
}

export async function listLabs(): Promise<LabRecord[]> {
  await mkdir(base, { recursive: true })
  const labs: LabRecord[] = []
  for (const name of (await readdir(base)).sort()) {
    const lab = name.startsWith('.') ? undefined : await readLab(name)
    if (lab !== undefined) labs.push(lab)
  }
  return labs
}

export async function forgetLab(name: string): Promise<void> {
  await rm(labDir(name), { recursive: true, force: true })
}

export function hostOf(lab: LabRecord, name: string): LabHost {
  const host = lab.hosts.find((candidate) => candidate.name === name)
  if (host !== undefined) return host
  const names = lab.hosts.map((candidate) => candidate.name).join(', ')
  throw new MureError('not-found', `lab "${lab.name}" has no host "${name}"; it has ${names}`)
}

/** A lab as asked for, with addresses; hosts that are there already stay as they are. */
export function planLab(
  wanted: { name: string; managers: number; workers: number; swarm: boolean; kind: HostKind },
  existing: LabRecord | undefined,
  taken: readonly number[],
): LabRecord {
  const { name, managers, workers } = wanted
  if (managers < 1 || workers < 0 || managers + workers > maxHosts)
    throw new MureError('invalid', `a lab has 1 manager or more and up to ${String(maxHosts)} hosts`)
  let index = existing?.index ?? 0
  if (existing === undefined) while (taken.includes(index)) index += 1
  if (index >= maxLabs) throw new MureError('exhausted', `there are ${String(maxLabs)} labs already`)
  const prefix = `192.168.${String(100 + index)}`
  const numbered = (role: 'manager' | 'worker', count: number, from: number) =>
    Array.from({ length: count }, (_, i): LabHost => {
      const host = `${role}${String(i + 1).padStart(2, '0')}`
      return { name: host, kind: wanted.kind, role, address: `${prefix}.${String(from + i)}` }
    })
  const fresh: LabHost[] = [
    { name: 'registry', kind: 'registry', role: 'registry', address: `${prefix}.2` },
    ...numbered('manager', managers, 11),
    ...numbered('worker', workers, 51),
  ]
  const known = existing?.hosts ?? []
  const added = fresh.filter((host) => known.every((other) => other.name !== host.name))
  return {
    name,
    index,
    hosts: [...known, ...added],
    forwards: existing?.forwards ?? [],
    swarm: wanted.swarm,
  }
}
