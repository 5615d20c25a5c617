import { asObject, asObjects } from '../adapt/json.ts'
import { theCluster } from '#manager/control/the-cluster.ts'
import type { View } from '#manager/control/control.ts'
import { tlsInfo } from '#security/certificate.ts'
import { signingRootOf } from '#security/root-ca.ts'
import { ok } from '../../http/response.ts'
import type { ApiResponse } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { LocalNode } from '../../backend.ts'
import { clusterInfoFromModel } from '../convert/cluster.ts'
import type { RootInfo } from '../convert/cluster.ts'
import type { FacadeParts } from '../facade.ts'

export function registerSystemRoutes(router: Router, parts: FacadeParts): void {
  const ping = async (): Promise<ApiResponse> => ({
    status: 200,
    text: 'OK',
    headers: {
      'Builder-Version': parts.facts.builderVersion,
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      Pragma: 'no-cache',
      Swarm: swarmHeader(parts.node),
      // Clients ping first. The call that follows then begins a connection, which bulk calls can have for themselves.
      Connection: 'close',
    },
  })
  router.add('GET', '/_ping', ping)
  router.add('HEAD', '/_ping', ping)

  router.add('GET', '/version', async () => {
    const version = await parts.engine.json<Record<string, unknown>>('GET', '/version')
    const ours = { ApiVersion: parts.newestVersion(), MinAPIVersion: parts.facts.oldestVersion }
    // What `docker version` prints is that of the engine among the components.
    const Components = asObjects(version['Components']).map((component) =>
      component['Name'] === 'Engine'
        ? { ...component, Details: { ...asObject(component['Details']), ...ours } }
        : component,
    )
    return ok({ ...version, ...ours, ...(version['Components'] === undefined ? {} : { Components }) })
  })

  router.add('GET', '/info', async () => {
    const info = await parts.engine.json<Record<string, unknown>>('GET', '/info')
    const warnings = (info['Warnings'] as string[] | null | undefined) ?? []
    const Warnings = parts.node.info().isStale ? [...warnings, staleWarning] : (info['Warnings'] ?? null)
    return ok({ ...info, Warnings, Swarm: swarmInfo(parts.node) })
  })
}

const staleWarning =
  'WARNING: the swarm has no quorum of managers: its objects are shown as they were last known, and cannot be changed'

function swarmHeader(node: LocalNode): string {
  const { state, isManager } = node.info()
  return state === 'active' ? `active/${isManager ? 'manager' : 'worker'}` : state
}

/** The roots as every client may see them, from the one cluster object. */
export function rootInfo(view: View): RootInfo {
  const { rootCa } = theCluster(view).status
  const { trustRoot } = tlsInfo(rootCa.certificate)
  // While the root is replaced, what nodes are to become is shown, so that a client can count who has followed.
  const { issuerSubject, issuerPublicKey } = tlsInfo(signingRootOf(rootCa))
  return {
    tls: { trustRoot, certificateIssuerSubject: issuerSubject, certificateIssuerPublicKey: issuerPublicKey },
  }
}

/** `Info.Swarm`. Zero values are there, as Docker sends them. */
export function swarmInfo(node: LocalNode): object {
  const local = node.info()
  const base = {
    NodeID: local.nodeId,
    NodeAddr: local.nodeAddress,
    LocalNodeState: local.state,
    ControlAvailable: local.isManager && local.state === 'active',
    Error: local.error,
    RemoteManagers:
      local.remoteManagers.length === 0
        ? null
        : local.remoteManagers.map((manager) => ({ NodeID: manager.nodeId, Addr: manager.address })),
  }
  if (!base.ControlAvailable) return base
  try {
    const { view } = node.control()
    const nodes = [...view.list('node')]
    return {
      ...base,
      Nodes: nodes.length,
      Managers: nodes.filter((other) => other.spec.role === 'manager').length,
      Cluster: clusterInfoFromModel(theCluster(view), rootInfo(view)),
    }
  } catch {
    // The manager is still starting: what is known of the node alone is the answer.
    return base
  }
}
