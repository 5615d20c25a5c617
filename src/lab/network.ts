import { exec, execResult } from '#lib/exec.ts'
import { gatewayOf, prefixLength } from './plan.ts'
import { namespaceOf, namespacePrefix, wireOf } from './record.ts'
import type { LabHost, LabRecord } from './record.ts'

/** The wire's end of a host's cable. A device's name has 15 characters at most. */
const cableOf = (host: LabHost): string => `to-${host.name}`

/** All commands in one process; the first that fails ends it. */
async function ip(namespace: string, ...commands: readonly string[]): Promise<void> {
  await exec('ip', ['-n', namespace, '-batch', '-'], { input: `${commands.join('\n')}\n` })
}

/** A card keeps its address when its host is started anew: the others' neighbour tables stay right. */
function macOf({ address }: LabHost): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return ['02', '6d', ...bytes].join(':')
}

/** The bridge that all hosts are plugged into, in a namespace of its own. Made anew if it is there in part. */
export async function ensureWire(lab: LabRecord): Promise<void> {
  const wire = wireOf(lab.name)
  const bridge = await execResult('ip', ['-n', wire, '-o', 'link', 'show', 'br0', 'up'])
  if (bridge.exitCode === 0 && bridge.stdout !== '') return
  await deleteNamespace(wire)
  await exec('ip', ['netns', 'add', wire])
  const address = `${gatewayOf(lab.index)}/${String(prefixLength)}`
  await ip(
    wire,
    'link set lo up',
    'link add br0 type bridge',
    `addr add ${address} dev br0`,
    'link set br0 up',
  )
  // A switch looks at no packet's address, so none is taken through the kernel's firewall. Some kernels cannot anyhow.
  const unlooked = ['iptables', 'ip6tables', 'arptables'].map(
    (rules) => `net.bridge.bridge-nf-call-${rules}=0`,
  )
  await exec('ip', ['netns', 'exec', wire, 'sysctl', '--quiet', '--ignore', '--write', ...unlooked])
}

/** A new network namespace for a host that is off, with a cable from its eth0 to the wire. */
export async function plugIn(lab: LabRecord, host: LabHost): Promise<void> {
  const namespace = namespaceOf(lab.name, host.name)
  // After a power cut no rule, route or address of before may be left.
  await unplug(lab, host)
  await exec('ip', ['netns', 'add', namespace])
  await ip(
    namespace,
    'link set lo up',
    `link add eth0 address ${macOf(host)} type veth peer name ${cableOf(host)} netns ${wireOf(lab.name)}`,
    `addr add ${host.address}/${String(prefixLength)} dev eth0`,
    'link set eth0 up',
    `route add default via ${gatewayOf(lab.index)}`,
  )
  await ip(wireOf(lab.name), `link set ${cableOf(host)} master br0 up`)
}

/** Away with the namespace of a host that is off, and with its cable. */
export async function unplug(lab: LabRecord, host: LabHost): Promise<void> {
  // The kernel takes a namespace apart when it has time; a cable that is to be made anew must be gone before.
  await execResult('ip', ['-n', wireOf(lab.name), 'link', 'delete', cableOf(host)])
  await deleteNamespace(namespaceOf(lab.name, host.name))
}

export async function setCable(lab: LabRecord, host: LabHost, state: 'up' | 'down'): Promise<void> {
  await ip(wireOf(lab.name), `link set ${cableOf(host)} ${state}`)
}

/** The names of the hosts whose cable is plugged in at both ends. */
export async function pluggedHosts(lab: LabRecord): Promise<Set<string>> {
  const links = await execResult('ip', ['-n', wireOf(lab.name), '-o', 'link', 'show', 'up'])
  const plugged = lab.hosts.filter((host) => links.stdout.includes(` ${cableOf(host)}@`))
  return new Set(plugged.map((host) => host.name))
}

/** The lab's namespaces by their names alone: also those of a lab whose making was interrupted. */
export async function deleteNamespaces(lab: string): Promise<void> {
  const names = (await exec('ip', ['netns', 'list'])).split('\n').map((line) => line.split(' ')[0] ?? '')
  for (const name of names) if (name.startsWith(namespacePrefix(lab))) await deleteNamespace(name)
}

async function deleteNamespace(name: string): Promise<void> {
  const result = await execResult('ip', ['netns', 'delete', name])
  if (result.exitCode !== 0 && !result.stderr.includes('No such file'))
    throw new Error(`the network namespace ${name} cannot be deleted: ${result.stderr.trim()}`)
}
