import { spawn } from 'node:child_process'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MureError } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { removeCgroups } from './cgroups.ts'
import { cgroupOf, hostDir, namespaceOf } from './lab.ts'
import type { LabHost, LabRecord } from './lab.ts'
import { ensureHostNetwork, setCable } from './network.ts'

/** Where the host's first process is remembered. */
const pidFile = (lab: LabRecord, host: LabHost): string => join(hostDir(lab.name, host.name), 'pid')

/** Folders that the host's own are laid over; they must exist on this machine. */
const mountPoints = ['/var/lib/docker', '/var/lib/mure', '/etc/docker']

/** The host's first process as this machine sees it, or undefined while the host is off. */
export async function hostPid(lab: LabRecord, host: LabHost): Promise<number | undefined> {
  const text = await readFile(pidFile(lab, host), 'utf8').catch(() => '')
  const outer = Number(text)
  if (!(outer > 0)) return undefined
  // The number may have been given to another process since.
  const environment = await readFile(`/proc/${String(outer)}/environ`, 'utf8').catch(() => '')
  if (!environment.includes(`HOST_DIR=${hostDir(lab.name, host.name)}\0`)) return undefined
  const children = await readFile(`/proc/${String(outer)}/task/${String(outer)}/children`, 'utf8').catch(
    () => '',
  )
  const inner = Number(children.split(' ')[0])
  return inner > 0 ? inner : undefined
}

/** Starts a host that is off. Its daemons come up by themselves. */
export async function startHost(lab: LabRecord, host: LabHost): Promise<void> {
  if ((await hostPid(lab, host)) !== undefined) return
  await ensureHostNetwork(lab, host)
  await setCable(lab, host, true)
  await layOut(lab, host)
  const folder = hostDir(lab.name, host.name)
  const log = await open(join(folder, 'logs', 'init.log'), 'a')
  const child = spawn(
    'nsenter',
    [
      `--net=/run/netns/${namespaceOf(lab.name, host.name)}`,
      ...['unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--'],
      ...['docker-init', '--', 'sh', join(import.meta.dirname, 'host-init.sh')],
    ],
    {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: '/root',
        HOST_DIR: folder,
        HOST_NAME: host.name,
        HOST_KIND: host.kind,
        HOST_CGROUP: cgroupOf(lab.name, host.name),
        MURE_NODE: process.execPath,
        MURE_ROOT: join(import.meta.dirname, '..', '..'),
      },
    },
  )
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  child.unref()
  await log.close()
  await writeFile(pidFile(lab, host), String(child.pid))
}

/** The power is cut: the cable is dead first, so that no goodbye reaches anybody. */
export async function powerOff(lab: LabRecord, host: LabHost, wait: Wait): Promise<void> {
  const pid = await hostPid(lab, host)
  if (pid === undefined) return
  await setCable(lab, host, false).catch(() => undefined)
  process.kill(pid, 'SIGKILL')
  wait.note(`${host.name} to be off`)
  while ((await hostPid(lab, host)) !== undefined) await sleep(20, wait.signal)
  await rm(pidFile(lab, host), { force: true })
  await removeCgroups(cgroupOf(lab.name, host.name), wait)
}

/** How to run something in all of a host's namespaces. */
export async function enterArguments(lab: LabRecord, host: LabHost): Promise<string[]> {
  const pid = await hostPid(lab, host)
  if (pid === undefined)
    throw new MureError('unavailable', `${host.name} is off: start it with "mure lab start ${host.name}"`)
  return ['-t', String(pid), '-m', '-u', '-i', '-n', '-p', '--']
}

async function layOut(lab: LabRecord, host: LabHost): Promise<void> {
  const folder = hostDir(lab.name, host.name)
  for (const path of mountPoints) await mkdir(path, { recursive: true })
  for (const name of ['docker', 'mure', 'etc-docker', 'logs', 'registry'])
    await mkdir(join(folder, name), { recursive: true })
  const names = lab.hosts.map((other) => `${other.address} ${other.name}`)
  await writeFile(join(folder, 'hosts'), `127.0.0.1 localhost\n::1 localhost\n${names.join('\n')}\n`)
  await writeFile(join(folder, 'hostname'), `${host.name}\n`)
  // Nobody answers there, at once: what is not in /etc/hosts does not exist in a lab.
  await writeFile(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n')
  await writeFile(
    join(folder, 'etc-docker', 'daemon.json'),
    JSON.stringify({
      'insecure-registries': ['registry:5000'],
      'log-level': 'warn',
      'max-concurrent-downloads': 10,
      // A storage that syncs each layer to disk would only slow a lab down.
      'storage-driver': 'overlay2',
      ...(host.kind === 'mure' ? { 'live-restore': true } : {}),
    }),
  )
  if (host.kind === 'registry')
    await writeFile(join(folder, 'registry.yml'), registryConfig(join(folder, 'registry')))
}

const registryConfig = (folder: string): string => `version: 0.1
log: { level: warn }
storage:
  filesystem: { rootdirectory: ${folder} }
  delete: { enabled: true }
http: { addr: ":5000" }
`
