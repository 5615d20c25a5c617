import { mkdir, readdir } from 'node:fs/promises'
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

/** A port of this machine's loopback, and the `address:port` of the lab that it leads to. */
export interface Forward {
  readonly port: number
  readonly to: string
}

/** What a lab is made of, written down before any of it is made, so that all of it can be found again. */
export interface LabRecord {
  readonly name: string
  /** Makes the addresses of labs differ. */
  readonly index: number
  readonly hosts: readonly LabHost[]
  readonly forwards: readonly Forward[]
}

const base = '/var/lib/mure-lab'

/** What labs share and what outlives them: the seed images. */
export const cacheDir = join(base, '.cache')
export const labDir = (lab: string): string => join(base, lab)
export const hostDir = (lab: string, host: string): string => join(base, lab, 'hosts', host)

/** The control groups of a lab and of its hosts: below the root of every hierarchy. */
export const cgroupOfLab = (lab: string): string => `/mure-lab/${lab}`
export const cgroupOfHost = (lab: string, host: string): string => `${cgroupOfLab(lab)}/${host}`

/** All of a lab's network namespaces begin so; a lab's name has no hyphen, so no lab's prefix is another's. */
export const namespacePrefix = (lab: string): string => `mure-${lab}-`
export const namespaceOf = (lab: string, host: string): string => `${namespacePrefix(lab)}${host}`
/** The bridge between the hosts lies in a namespace of its own, away from this machine's packet filter. */
export const wireOf = (lab: string): string => namespaceOf(lab, 'wire')

export function checkName(name: string): void {
  if (!/^[a-z][a-z0-9]{0,15}$/.test(name))
    throw new MureError('invalid', `a lab's name is up to 16 lower-case letters and digits, not "${name}"`)
}

export async function readLab(name: string): Promise<LabRecord | undefined> {
  checkName(name)
  const text = await readFileIfThere(join(labDir(name), 'lab.json'))
  return text === undefined ? undefined : (JSON.parse(text) as LabRecord)
}

export async function requireLab(name: string): Promise<LabRecord> {
  const lab = await readLab(name)
  if (lab !== undefined) return lab
  const names = (await listLabs()).map((other) => other.name)
  const others = names.length === 0 ? 'there is none yet' : `there are ${names.join(', ')}`
  throw new MureError('not-found', `no lab "${name}": ${others} (make one with: mure lab up --name ${name})`)
}

export async function writeLab(lab: LabRecord): Promise<void> {
  await writeFileAtomic(join(labDir(lab.name), 'lab.json'), `${JSON.stringify(lab, null, 2)}\n`)
}

export async function listLabs(): Promise<LabRecord[]> {
  await mkdir(base, { recursive: true })
  const names = (await readdir(base)).filter((name) => !name.startsWith('.')).sort()
  const labs = await Promise.all(names.map(readLab))
  return labs.filter((lab) => lab !== undefined)
}

export function hostOf(lab: LabRecord, name: string): LabHost {
  const host = lab.hosts.find((candidate) => candidate.name === name)
  if (host !== undefined) return host
  const names = lab.hosts.map((candidate) => candidate.name).join(', ')
  throw new MureError('not-found', `lab "${lab.name}" has no host "${name}"; it has ${names}`)
}

/** The hosts that run an engine. */
export const machinesOf = (lab: LabRecord): LabHost[] => lab.hosts.filter(({ kind }) => kind !== 'registry')

export function registryOf(lab: LabRecord): LabHost {
  return hostOf(lab, 'registry')
}
