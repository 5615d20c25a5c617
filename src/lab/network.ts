import { exec, execResult } from '#lib/exec.ts'
import { gatewayOf, namespaceOf, wireOf } from './lab.ts'
import type { LabHost, LabRecord } from './lab.ts'

/** A device's name has 15 characters at most. */
const cableOf = (host: string): string => `c-${host}`.slice(0, 15)

const ip = (batch: string, namespace?: string): Promise<string> =>
  exec('ip', [...(namespace === undefined ? [] : ['-n', namespace]), '-batch', '-'], { input: batch })

async function namespaces(): Promise<Set<string>> {
  const text = await exec('ip', ['netns', 'list'])
  return new Set(text.split('\n').map((line) => line.split(' ')[0] ?? ''))
}

/** The bridge that all hosts are plugged into. */
export async function ensureWire(lab: LabRecord): Promise<void> {
  const wire = wireOf(lab.name)
  if ((await namespaces()).has(wire)) return
  await exec('ip', ['netns', 'add', wire])
  await ip(
    `link set lo up\nlink add br0 type bridge\naddr add ${gatewayOf(lab.index)}/24 dev br0\nlink set br0 up\n`,
    wire,
  )
}

/** The host's network namespace, with a cable from its eth0 to the bridge. */
export async function ensureHostNetwork(lab: LabRecord, host: LabHost): Promise<void> {
  const namespace = namespaceOf(lab.name, host.name)
  const wire = wireOf(lab.name)
  if (!(await namespaces()).has(namespace)) await exec('ip', ['netns', 'add', namespace])
  const plugged = await execResult('ip', ['-n', namespace, 'link', 'show', 'eth0'])
  if (plugged.exitCode !== 0) {
    const cable = cableOf(host.name)
    await ip(
      `link add ${cable} type veth peer name eth0 netns ${namespace}\nlink set ${cable} master br0 up\n`,
      wire,
    )
    await ip(
      `link set lo up\naddr add ${host.address}/24 dev eth0\nlink set eth0 up\nroute add default via ${gatewayOf(lab.index)}\n`,
      namespace,
    )
    await exec('ip', ['netns', 'exec', namespace, 'sysctl', '-qw', 'net.ipv4.ip_forward=1'])
  }
}

/** Pulls the host's cable, or plugs it in again. */
export async function setCable(lab: LabRecord, host: LabHost, plugged: boolean): Promise<void> {
  await exec('ip', ['-n', wireOf(lab.name), 'link', 'set', cableOf(host.name), plugged ? 'up' : 'down'])
}

export async function isPlugged(lab: LabRecord, host: LabHost): Promise<boolean> {
  const result = await execResult('ip', ['-n', wireOf(lab.name), '-o', 'link', 'show', cableOf(host.name)])
  return result.exitCode === 0 && /<[^>]*\bUP\b[^>]*>/.test(result.stdout)
}

/** The namespaces of a lab by their names alone: also those of a lab whose making was interrupted. */
export async function labNamespaces(lab: string): Promise<string[]> {
  return [...(await namespaces())].filter((name) => name.startsWith(`mure-${lab}-`))
}

/** Ends whatever still runs in a namespace, by process id, and removes it. */
export async function removeNamespace(name: string): Promise<void> {
  const pids = await execResult('ip', ['netns', 'pids', name])
  for (const pid of pids.stdout.split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It ended by itself meanwhile.
    }
  }
  await execResult('ip', ['netns', 'del', name])
}
