import type { LocalNode } from '../../backend.ts'
import type { Router } from '../../http/router.ts'
import { registerBackupRoutes } from './backup.ts'
import { registerClusterRoutes } from './cluster.ts'
import { registerExplainRoutes } from './explain.ts'
import { registerIngressRoutes } from './ingress.ts'

/** What the routes stand on. */
export interface MureParts {
  readonly node: LocalNode
}

/** What Docker has no words for, under `/mure/v1/` of the same socket: the `mure` command speaks it. */
export function registerMureRoutes(router: Router, parts: MureParts): void {
  registerBackupRoutes(router, parts)
  registerClusterRoutes(router, parts)
  registerExplainRoutes(router, parts)
  registerIngressRoutes(router, parts)
}
