import type { Duplex } from 'node:stream'
import type { Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { Wait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import type { RelayRequest } from '#rpc/messages.ts'
import type { Store } from '#store/contract.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { explainPlacement } from '../explain/placement-report.ts'
import { accessKey } from './access-key.ts'
import { attachContainer, releaseAttachment } from './attachments.ts'
import { updateCluster } from './cluster.ts'
import type { TokenMaker } from './cluster.ts'
import type { Control } from './control.ts'
import { ingressStateOf, updateIngress } from './ingress.ts'
import { examineNetworks } from './network-examination.ts'
import { runCron } from './cron.ts'
import { createNetwork, removeNetwork } from './networks.ts'
import { removeNode, updateNode } from './nodes.ts'
import { ObjectWriter } from './objects.ts'
import { rebalance } from './rebalance.ts'
import {
  createConfig,
  createSecret,
  removeConfig,
  removeSecret,
  updateConfig,
  updateSecret,
} from './secrets.ts'
import { createService, rollbackService, updateService } from './services.ts'

export interface ControlParts {
  readonly store: Store
  readonly mirror: Mirror
  readonly clock: Clock
  readonly random: Random
  readonly tokens: TokenMaker
  readonly relay: (nodeId: NodeId, request: RelayRequest, wait: Wait) => Promise<Duplex>
  readonly pushImage: Control['pushImage']
  readonly usage: Control['usage']
  readonly usageOf: Control['usageOf']
}

export function createControl(parts: ControlParts): Control {
  const writer = new ObjectWriter(parts)
  return {
    view: parts.mirror,
    updateCluster: (version, spec, rotate, options) =>
      updateCluster(writer, parts.tokens, version, spec, rotate, options),
    ingress: () => ingressStateOf(parts.mirror, parts.clock.now()),
    updateIngress: (change, options) => updateIngress(writer, change, options),
    accessKey: (options) => accessKey(writer, parts.tokens, options),
    updateNode: (id, version, spec, options) => updateNode(writer, id, version, spec, options),
    removeNode: (id, force, options) => removeNode(writer, id, force, options),
    createService: (spec, options) => createService(writer, spec, options),
    updateService: (id, version, spec, options) => updateService(writer, id, version, spec, options),
    rollbackService: (id, version, options) => rollbackService(writer, id, version, options),
    removeService: (id, options) => writer.remove('service', id, options.wait, () => undefined),
    runCron: (id, options) => runCron(writer, id, options),
    createNetwork: (spec, options) => createNetwork(writer, spec, options),
    removeNetwork: (id, options) => removeNetwork(writer, id, options),
    attachContainer: (request, wait) => attachContainer(writer, request, wait),
    releaseAttachment: (taskId, wait) => releaseAttachment(writer, taskId, wait),
    examineNetworks: (options) => examineNetworks({ view: parts.mirror, open: parts.relay }, options),
    createSecret: (spec, options) => createSecret(writer, spec, options),
    updateSecret: (id, version, spec, options) => updateSecret(writer, id, version, spec, options),
    removeSecret: (id, options) => removeSecret(writer, id, options),
    createConfig: (spec, options) => createConfig(writer, spec, options),
    updateConfig: (id, version, spec, options) => updateConfig(writer, id, version, spec, options),
    removeConfig: (id, options) => removeConfig(writer, id, options),
    rebalance: (request) => rebalance(writer, request),
    explain: (wanted) =>
      explainPlacement(parts.mirror, wanted, { now: parts.clock.now(), random: parts.random }),
    relay: parts.relay,
    pushImage: parts.pushImage,
    usage: parts.usage,
    usageOf: parts.usageOf,
  }
}
