import { spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { join } from 'node:path'
import { MureError } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { raiseWeight, removeCgroups } from './cgroups.ts'
import { layOut, logFile } from './host-files.ts'
import { plugIn, pluggedHosts, setCable, unplug } from './network.ts'
import { hostMark, isMarked, killMarked, labMark } from './processes.ts'
import { cgroupOfHost, hostDir, namespaceOf } from './record.ts'
import type { LabHost, LabRecord } from './record.ts'

const root = join(import.meta.dirname, '..', '..')
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const marksOf = (lab: LabRecord, host: LabHost) => [labMark(lab.name), hostMark(host.name)]
const pidFile = (lab: LabRecord, host: LabHost): string => join(hostDir(lab.name, host.name), 'pid')

/**
 * The host's first process as this machine numbers it, or undefined while there is no such host. One that is still
 * being laid out is none yet: its folders would be the machine's.
 */
export async function hostPid(lab: LabRecord, host: LabHost): Promise<number | undefined> {
  const outer = Number(await readFile(pidFile(lab, host), 'utf8').catch(() => ''))
  // The number may have gone to another process since.
  if (!(outer > 0) || !(await isMarked(outer, ...marksOf(lab, host)))) return undefined
  const task = `/proc/${String(outer)}/task/${String(outer)}/children`
  const inner = Number((await readFile(task, 'utf8').catch(() => '')).split(' ')[0])
  if (!(inner > 0)) return undefined
  const name = await readFile(`/proc/${String(inner)}/root/run/lab-host`, 'utf8').catch(() => '')
  return name.trim() === host.name ? inner : undefined
}

/** Starts a host that is off, cable plugged in. Its daemons come up by themselves. */
export async function startHost(lab: LabRecord, host: LabHost, wait: Wait): Promise<void> {
  if ((await hostPid(lab, host)) !== undefined) return
  // Should it have been on its way up when its starter was killed: one engine at a time on these files.
  await killMarked(wait, ...marksOf(lab, host))
  await raiseWeight(cgroupOfHost(lab.name, host.name))
  await plugIn(lab, host)
  await layOut(lab, host)
  const log = await open(logFile(lab.name, host.name, 'init'), 'a')
  try {
    const child = spawn('sh', ['-c', boot], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: environment(lab, host),
    })
    await once(child, 'spawn')
    child.unref()
    wait.note(`${host.name} to be laid out`)
    while ((await hostPid(lab, host)) === undefined) {
      if (child.exitCode !== null || child.signalCode !== null) throw await bootFailure(lab, host)
      await sleep(10, wait.signal)
    }
  } finally {
    await log.close()
  }
}

async function bootFailure(lab: LabRecord, host: LabHost): Promise<MureError> {
  const log = await readFile(logFile(lab.name, host.name, 'init'), 'utf8')
  return new MureError('internal', `${host.name} did not start: ${log.trim().split('\n').at(-1) ?? ''}`)
}

/**
 * The number is on disk before there is a host. `nsenter --net` rather than `ip netns exec`, which would lay a /sys
 * over the control groups; `--kill-child` ties the host's first process to the one whose number is kept.
 */
const boot = `echo $$ >"$HOST_DIR/pid"
exec nsenter --net="/run/netns/$HOST_NAMESPACE" \\
  unshare --mount --uts --ipc --pid --fork --kill-child docker-init -- sh "$MURE_ROOT/src/lab/host-init.sh"`

function environment(lab: LabRecord, host: LabHost): NodeJS.ProcessEnv {
  const compileCache = process.env['NODE_COMPILE_CACHE']
  return {
    PATH: path,
    HOME: '/root',
    MURE_LAB: lab.name,
    MURE_LAB_HOST: host.name,
    HOST_DIR: hostDir(lab.name, host.name),
    HOST_NAME: host.name,
    HOST_KIND: host.kind,
    HOST_NAMESPACE: namespaceOf(lab.name, host.name),
    HOST_CGROUP: cgroupOfHost(lab.name, host.name),
    MURE_NODE: process.execPath,
    MURE_ROOT: root,
    ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
  }
}

/** The power is cut: the cable is dead first, so that no goodbye reaches anybody. */
export async function powerOff(lab: LabRecord, host: LabHost, wait: Wait): Promise<void> {
  if ((await pluggedHosts(lab)).has(host.name)) await setCable(lab, host, 'down')
  await killMarked(wait, ...marksOf(lab, host))
  await unplug(lab, host)
  await removeCgroups(cgroupOfHost(lab.name, host.name), wait)
}

/** The words before a command that make it run in all of a host's namespaces. */
export async function enterHost(lab: LabRecord, host: LabHost): Promise<string[]> {
  const pid = await hostPid(lab, host)
  if (pid === undefined) {
    const flag = lab.name === 'lab' ? '' : ` --name ${lab.name}`
    throw new MureError(
      'unavailable',
      `${host.name} is off (switch it on with: mure lab start ${host.name}${flag})`,
    )
  }
  return ['nsenter', '--target', String(pid), '--mount', '--uts', '--ipc', '--net', '--pid']
}
