import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { NetworkId } from '#model/id.ts'
import { cniDriver, cniPluginsOf } from '#model/cni.ts'
import { overlaps, parseNetwork } from '#model/address.ts'
import type { IpNetwork } from '#model/address.ts'
import { isEncrypted, isNodeLocal, nodeLocalDrivers } from '#model/network.ts'
import type { IpamRange, Network, NetworkSpec } from '#model/network.ts'
import { isRunnable, isTerminal } from '#model/task-state.ts'
import { needsIngress, usesNetwork } from '#model/secret-use.ts'
import { nameProblem } from '#model/validate/name.ts'
import { refuse } from '#model/validate/problem.ts'
import type { View } from '#store/mirror/view.ts'
import type { WriteOptions } from './control.ts'
import { grpcText } from './grpc-text.ts'
import { seen } from './seen.ts'
import type { ObjectWriter } from './objects.ts'

export async function createNetwork(
  writer: ObjectWriter,
  spec: NetworkSpec,
  options: WriteOptions,
): Promise<Network> {
  if (spec.name === '') throw new MureError('invalid', 'invalid name: ')
  refuse(nameProblem('network', spec.name), (text) => grpcText('InvalidArgument', text))
  if (writer.mirror.byName('network', spec.name) !== undefined)
    throw new MureError('already-exists', `network with name ${spec.name} already exists`)
  check(writer.mirror, spec)
  const created = await writer.create(
    {
      kind: 'network',
      meta: writer.newMeta<NetworkId>(spec.name, spec.labels, options),
      spec,
      status: { ranges: spec.ipam.ranges },
    },
    options.wait,
  )
  return allocated(writer, created, options)
}

/** A leader that is being elected is not waited for any longer: it allocates what it finds. */
const allocationMs = 5_000

/**
 * The network with its subnet. What was checked here may have been taken through another manager meanwhile: the leader
 * alone knows, and what it refuses is not kept.
 */
async function allocated(writer: ObjectWriter, network: Network, options: WriteOptions): Promise<Network> {
  if (isNodeLocal(network)) return network
  const { id } = network.meta
  using wait = startWait({ timeoutMs: allocationMs, signal: options.wait.signal, what: 'a subnet' })
  const now = await seen(
    writer.mirror,
    () => {
      const present = writer.mirror.get('network', id)
      const isDecided = present?.status.vxlanId !== undefined || present?.status.error !== undefined
      return isDecided ? present : undefined
    },
    wait,
  ).catch(() => undefined)
  const error = now?.status.vxlanId === undefined ? now?.status.error : undefined
  if (error === undefined) return now ?? network
  await writer.remove('network', id, options.wait, () => undefined)
  throw new MureError('forbidden', error)
}

const invalid = (text: string) => new MureError('invalid', grpcText('InvalidArgument', text))

/** Everything that can be said against a network before it is stored. */
function check(view: View, spec: NetworkSpec): void {
  if (spec.driver.name === cniDriver) checkCni(spec)
  else if (spec.ipam.driver.name !== 'default')
    throw invalid(
      `error during lookup of plugin ${spec.ipam.driver.name}: addresses are the cluster's to give`,
    )
  if (isNodeLocal({ spec })) return checkNodeLocal(spec)
  if (isEncrypted({ spec })) checkEncryption(view)
  if (spec.ingress) checkIngress(view, spec)
  const subnets: IpNetwork[] = []
  for (const range of spec.ipam.ranges) {
    const subnet = checkRange(range)
    if (subnets.some((other) => overlaps(other, subnet)))
      throw invalid(`${range.subnet} overlaps another subnet`)
    subnets.push(subnet)
  }
  for (const other of view.list('network')) {
    if (isNodeLocal(other)) continue
    for (const taken of [...other.status.ranges, ...other.spec.ipam.ranges]) {
      const theirs = parseNetwork(taken.subnet)
      if (theirs !== undefined && subnets.some((subnet) => overlaps(subnet, theirs)))
        throw new MureError(
          'forbidden',
          `invalid pool request: Pool overlaps with other one on this address space: ${taken.subnet} of network ${other.spec.name}`,
        )
    }
  }
}

/** What its pools are worth is for each host's engine to say: they are used there alone. */
function checkNodeLocal({ driver, ingress, ipam }: NetworkSpec): void {
  if (!nodeLocalDrivers.some((name) => name === driver.name))
    throw invalid(
      `network driver ${driver.name} is none of the swarm's: overlay and cni span hosts, and ${nodeLocalDrivers.join(', ')} are each host's own`,
    )
  if (ingress) throw invalid('the ingress network is an overlay: other hosts are reached through it')
  for (const range of ipam.ranges) checkRange(range)
}

/** A network that some host could only be on unencrypted is not made. */
function checkEncryption(view: View): void {
  const unable = [...view.list('node')].filter(
    ({ status }) => status.state === 'ready' && status.description?.tunnelKey === undefined,
  )
  if (unable.length === 0) return
  const names = unable.map(({ meta, status }) => status.description?.hostname ?? meta.id).sort()
  throw new MureError(
    'unsupported',
    `an encrypted network needs WireGuard on every node: in its kernel, or as the programs wireguard-go and wg. These have neither: ${names.join(', ')}`,
  )
}

function checkCni(spec: NetworkSpec): void {
  const plugins = cniPluginsOf(spec)
  if (typeof plugins === 'string') throw invalid(plugins)
  if (spec.ingress) throw invalid('the ingress network is an overlay: other hosts are reached through it')
  if (isEncrypted({ spec }))
    throw invalid('networks of CNI plugins are not encrypted: leave "--opt encrypted" away')
}

function checkIngress(view: View, spec: NetworkSpec): void {
  if (spec.attachable) throw invalid('ingress network cannot be attachable')
  for (const other of view.list('network'))
    if (other.spec.ingress)
      throw new MureError(
        'already-exists',
        grpcText('AlreadyExists', `ingress network (${other.meta.id}) is already present`),
      )
}

function checkRange(range: IpamRange): IpNetwork {
  const subnet = parseNetwork(range.subnet)
  if (subnet === undefined)
    throw new MureError('invalid', `Invalid subnet ${range.subnet} : invalid CIDR address: ${range.subnet}`)
  const part = range.range === undefined ? subnet : parseNetwork(range.range)
  if (part === undefined || !overlaps(part, subnet) || part.prefix < subnet.prefix)
    throw invalid(
      part === undefined
        ? `ipam configuration: invalid range ${range.range ?? ''}`
        : `ipam configuration: subnet ${range.subnet} does not contain range ${range.range ?? ''}`,
    )
  if (range.gateway !== undefined && parseNetwork(range.gateway) === undefined)
    throw invalid(`ipam configuration: invalid gateway ${range.gateway}`)
  for (const text of [range.gateway, ...Object.values(range.auxiliary ?? {})]) {
    if (text === undefined) continue
    const address = parseNetwork(text)
    if (address === undefined || text.includes('/') || !overlaps(address, subnet))
      throw invalid(`invalid address ${text}: it is not within the subnet ${range.subnet}`)
  }
  return subnet
}

export function removeNetwork(writer: ObjectWriter, id: NetworkId, options: WriteOptions): Promise<void> {
  return writer.remove('network', id, options.wait, (network) => {
    for (const service of writer.mirror.list('service')) {
      if (network.spec.ingress && needsIngress(service.spec))
        throw new MureError(
          'precondition',
          grpcText(
            'FailedPrecondition',
            `ingress network cannot be removed because service ${service.meta.id} depends on it`,
          ),
          { details: { status: 400 } },
        )
      if (!usesNetwork(service.spec, id, network.spec.name)) continue
      throw new MureError(
        'precondition',
        grpcText('FailedPrecondition', `network ${id} is in use by service ${service.meta.id}`),
        { details: { status: 400 } },
      )
    }
    // Of the mesh's network Docker asks the services alone: no spec wants it any more, and tasks that have it are replaced.
    if (network.spec.ingress) return
    for (const task of writer.mirror.list('task')) {
      // What is only on its way out holds nobody up: its host keeps what it needs until it has ended.
      const isLeaving =
        !isRunnable(task.desiredState) ||
        isTerminal(task.status.state) ||
        (task.serviceId !== '' && writer.mirror.get('service', task.serviceId) === undefined)
      if (isLeaving) continue
      if (!task.attachments.some((attachment) => attachment.networkId === id)) continue
      throw new MureError(
        'precondition',
        grpcText('FailedPrecondition', `network ${id} is in use by task ${task.meta.id}`),
        { details: { status: 400 } },
      )
    }
  })
}
