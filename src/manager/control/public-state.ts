import { createHash } from 'node:crypto'
import type { Cluster } from '#model/cluster.ts'
import type { ContainerSpec } from '#model/container.ts'
import { kinds } from '#model/objects.ts'
import type { StoredObject } from '#model/objects.ts'
import type { Secret } from '#model/secret.ts'
import type { Service, ServiceSpec, TaskTemplate } from '#model/service.ts'
import type { View } from '#store/mirror/view.ts'

/**
 * Everything the cluster is, but for what must not leave a manager: keys, tokens, credentials and the data of secrets.
 * Of that data a digest is given, so that it can be told whether other data is the same.
 */
export function publicState(view: View): StoredObject[] {
  return kinds.flatMap((kind) => Array.from<StoredObject, StoredObject>(view.list(kind), withoutSecrets))
}

function withoutSecrets(object: StoredObject): StoredObject {
  switch (object.kind) {
    case 'cluster':
      return clusterWithoutKeys(object)
    case 'secret':
      return withDigest(object)
    case 'service':
      return serviceWithoutCredentials(object)
    case 'task':
      return { ...object, spec: templateWithoutCredentials(object.spec) }
    default:
      return object
  }
}

/** What may leave is named, so that a field of tomorrow stays. */
function clusterWithoutKeys({ kind, meta, spec, status }: Cluster): Cluster {
  const { certificate, epoch } = status.rootCa
  return {
    kind,
    meta,
    spec,
    status: {
      networking: status.networking,
      rootCa: { certificate, key: '', epoch },
      joinTokens: { worker: '', manager: '' },
    },
  }
}

function withDigest(secret: Secret): Secret {
  const { earlier } = secret.status
  return {
    ...secret,
    spec: { ...secret.spec, data: digestOfSecret(secret.spec.data) },
    status: {
      ...secret.status,
      ...(earlier === undefined
        ? {}
        : { earlier: earlier.map((version) => ({ ...version, data: digestOfSecret(version.data) })) }),
    },
  }
}

/** What stands for the data of a secret, both base64; what stands for none is none. */
export const digestOfSecret = (data: string): string =>
  data === '' ? '' : createHash('sha256').update(data).digest('base64')

function serviceWithoutCredentials(service: Service): Service {
  const { previousSpec } = service.status
  return {
    ...service,
    spec: specWithoutCredentials(service.spec),
    status: {
      ...service.status,
      ...(previousSpec === undefined ? {} : { previousSpec: specWithoutCredentials(previousSpec) }),
    },
  }
}

const specWithoutCredentials = (spec: ServiceSpec): ServiceSpec => ({
  ...spec,
  template: templateWithoutCredentials(spec.template),
})

/** Tasks share their template, and so do their copies. */
const copies = new WeakMap<TaskTemplate, TaskTemplate>()

function templateWithoutCredentials(template: TaskTemplate): TaskTemplate {
  let copy = copies.get(template)
  if (copy === undefined) {
    const { initContainers } = template
    copy = {
      ...template,
      containers: template.containers.map(withoutAuth),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(withoutAuth) }),
    }
    copies.set(template, copy)
  }
  return copy
}

function withoutAuth({ registryAuth: _, ...container }: ContainerSpec): ContainerSpec {
  return container
}
