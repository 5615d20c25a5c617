import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'
import { gatewayOf } from './plan.ts'
import { makeMountPoints } from './mount-points.ts'
import { hostDir } from './record.ts'
import type { LabHost, LabRecord } from './record.ts'

/** Where the registry of a lab keeps its images. */
export const registryStorage = (lab: string): string => join(hostDir(lab, 'registry'), 'registry')

export const logFile = (lab: string, host: string, daemon: string): string =>
  join(hostDir(lab, host), 'logs', `${daemon}.log`)

/** A host's files on this machine. What the host itself has written since is kept. */
export async function layOut(lab: LabRecord, host: LabHost): Promise<void> {
  const folder = hostDir(lab.name, host.name)
  await makeMountPoints()
  for (const name of ['docker', 'mure', 'etc', 'etc.work', 'etc.docker', 'logs'])
    await mkdir(join(folder, name), { recursive: true })
  await writeHostsFile(lab, host)
  await writeOnce(join(folder, 'etc', 'hostname'), `${host.name}\n`)
  await writeOnce(join(folder, 'etc', 'resolv.conf'), resolvConf(lab))
  await writeOnce(
    join(folder, 'etc.docker', 'daemon.json'),
    `${JSON.stringify(engineConfig(host), null, 2)}\n`,
  )
  if (host.kind !== 'registry') return
  await mkdir(registryStorage(lab.name), { recursive: true })
  await writeFile(join(folder, 'registry.yml'), registryConfig(registryStorage(lab.name), { addr: ':5000' }))
}

/** Whole or not at all: what an interrupted start has left is never taken for the host's own change. */
async function writeOnce(file: string, text: string): Promise<void> {
  if ((await readFileIfThere(file)) === undefined) await writeFileAtomic(file, text, 0o644)
}

/** Who else is in the lab. A host that runs sees the change at once: the file is written in place. */
export async function writeHostsFile(lab: LabRecord, host: LabHost): Promise<void> {
  await writeFile(join(hostDir(lab.name, host.name), 'etc', 'hosts'), hostsFile(lab))
}

const hostsFile = (lab: LabRecord): string =>
  [
    '127.0.0.1 localhost',
    '::1 localhost',
    ...lab.hosts.map(({ address, name }) => `${address} ${name}`),
    '',
  ].join('\n')

/** Nobody listens there, and says so at once: what is not in /etc/hosts does not exist, and no lookup hangs. */
const resolvConf = (lab: LabRecord): string => `nameserver ${gatewayOf(lab.index)}\n`

const engineConfig = (host: LabHost): object => ({
  'insecure-registries': ['registry:5000'],
  'log-level': 'warn',
  // Docker's own swarm mode refuses to start beside it.
  'live-restore': host.kind === 'mure',
})

/** @param http where it listens: `addr`, and `net: unix` for a socket */
export const registryConfig = (storage: string, http: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http,
  })
