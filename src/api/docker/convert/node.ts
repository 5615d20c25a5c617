import { defined } from '#lib/defined.ts'
import { MureError } from '#lib/errors.ts'
import type { Node, NodeDescription, NodeSpec } from '#model/node.ts'
import { Fields, omitEmpty, oneOf } from './fields.ts'
import { metaFromModel } from './meta.ts'
import { genericFromModel } from './resources.ts'

/** Docker's `NodeSpec`. An update replaces it whole: what is absent is emptied; role and availability must be there. */
export function nodeSpecToModel(body: unknown, before: NodeSpec): NodeSpec {
  const from = new Fields(body, 'NodeSpec')
  const role = from.string('Role', 'swarm.NodeRole')
  const availability = from.string('Availability', 'swarm.NodeAvailability')
  const wrongRole = `invalid Role: "${role ?? ''}"`
  const wrongAvailability = `invalid Availability: "${availability ?? ''}"`
  return defined({
    name: from.string('Name') ?? '',
    labels: from.stringMap('Labels') ?? {},
    role: required(oneOf(role, ['worker', 'manager'] as const, wrongRole), wrongRole),
    availability: required(
      oneOf(availability, ['active', 'pause', 'drain'] as const, wrongAvailability),
      wrongAvailability,
    ),
    taints: before.taints,
  })
}

function required<T>(value: T | undefined, refusal: string): T {
  if (value === undefined) throw new MureError('invalid', refusal)
  return value
}

const nodeSpecFromModel = (spec: NodeSpec): object =>
  defined({
    Name: omitEmpty(spec.name),
    Labels: spec.labels,
    Role: spec.role,
    Availability: spec.availability,
  })

export function nodeFromModel(node: Node): object {
  const { status } = node
  return defined({
    ...metaFromModel(node.meta),
    Spec: nodeSpecFromModel(node.spec),
    Description: status.description === undefined ? {} : descriptionFromModel(status.description),
    Status: defined({
      State: status.state,
      Message: omitEmpty(status.message),
      Addr: omitEmpty(status.address),
    }),
    ManagerStatus:
      status.manager &&
      defined({
        Leader: omitEmpty(status.manager.leader),
        Reachability: status.manager.reachability,
        Addr: status.manager.address,
      }),
  })
}

function descriptionFromModel(description: NodeDescription): object {
  const { engine, platform, resources } = description
  return defined({
    Hostname: description.hostname,
    Platform: { Architecture: platform.architecture, OS: platform.os },
    Resources: defined({
      NanoCPUs: omitEmpty(resources.cpuNano),
      MemoryBytes: omitEmpty(resources.memoryBytes),
      GenericResources: omitEmpty(resources.generic?.map(genericFromModel)),
    }),
    Engine: defined({
      EngineVersion: omitEmpty(engine.version),
      Labels: omitEmpty(engine.labels),
      Plugins: omitEmpty(engine.plugins.map((plugin) => ({ Type: plugin.type, Name: plugin.name }))),
    }),
    TLSInfo: description.tls && {
      TrustRoot: description.tls.trustRoot,
      CertIssuerSubject: description.tls.certificateIssuerSubject,
      CertIssuerPublicKey: description.tls.certificateIssuerPublicKey,
    },
  })
}
