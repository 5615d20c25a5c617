import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import { theCluster } from '#manager/control/the-cluster.ts'
import type { ClusterSpec } from '#model/cluster.ts'
import { schedulingProblems, schedulingSettings } from '#model/scheduling.ts'
import { refuse } from '#model/validate/problem.ts'
import { ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { MureParts } from './index.ts'

const writeTimeoutMs = 15_000
const settings: readonly string[] = ['strategy', 'drainOrder', 'rebalance']

/** Settings of the cluster that Docker's `swarm update` does not know. */
export function registerClusterRoutes(router: Router, { node }: MureParts): void {
  router.add('GET', '/mure/v1/cluster/settings', async () =>
    ok(schedulingSettings(theCluster(node.control().view).spec)),
  )

  router.add('POST', '/mure/v1/cluster/settings', async (request) => {
    const changes = settingsOf(await request.json())
    const control = node.control()
    using wait = startWait({
      timeoutMs: writeTimeoutMs,
      signal: request.signal,
      what: 'the store to take the change',
    })
    const { meta, spec } = theCluster(control.view)
    const scheduling = { ...spec.scheduling, ...changes }
    const { spec: stored } = await control.updateCluster(meta.version, { ...spec, scheduling }, {}, { wait })
    return ok(schedulingSettings(stored))
  })
}

/** Those that the body names; nothing else may be in it. */
function settingsOf(body: unknown): NonNullable<ClusterSpec['scheduling']> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new MureError('invalid', 'invalid JSON: the settings must be an object')
  const unknown = Object.keys(body).filter((name) => !settings.includes(name))
  if (unknown.length > 0)
    throw new MureError(
      'invalid',
      `no such setting: ${unknown.join(', ')} (there are ${settings.join(', ')})`,
    )
  refuse(schedulingProblems(body))
  return body
}
