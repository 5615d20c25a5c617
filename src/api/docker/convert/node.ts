import { defined } from '#lib/defined.ts'
import type { Node, NodeDescription, NodeSpec } from '#model/node.ts'
import { Fields, omitEmpty, oneOf } from './fields.ts'
import { metaFromModel } from './meta.ts'
import { genericFromModel } from './resources.ts'

/** Docker's `NodeSpec`. An update replaces it whole: what is absent is emptied, but a role or availability stays. */
export function nodeSpecToModel(body: unknown, before: NodeSpec): NodeSpec {
  const from = new Fields(body, 'NodeSpec')
  const role = from.string('Role')
  const availability = from.string('Availability')
  return defined({
    name: from.string('Name') ?? '',
    labels: from.stringMap('Labels') ?? {},
    role: oneOf(role, ['worker', 'manager'] as const, `invalid Role: "${role ?? ''}"`) ?? before.role,
    availability:
      oneOf(
        availability,
        ['active', 'pause', 'drain'] as const,
        `invalid Availability: "${availability ?? ''}"`,
      ) ?? before.availability,
    taints: before.taints,
  })
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
