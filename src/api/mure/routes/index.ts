import type { LocalNode } from '../../backend.ts'
import type { Router } from '../../http/router.ts'
import type { Clock } from '#lib/clock.ts'
import { registerBackupRoutes } from './backup.ts'
import { registerNetworkRoutes } from './networks.ts'
import { registerImageRoutes } from './images.ts'
import { registerClusterRoutes } from './cluster.ts'
import { registerCronRoutes } from './cron.ts'
import { registerExplainRoutes } from './explain.ts'
import { registerIngressRoutes } from './ingress.ts'
import { registerDashboardRoutes } from './dashboard.ts'
import { registerRebalanceRoutes } from './rebalance.ts'
import { registerStateRoutes } from './state.ts'
import { registerTopRoutes } from './top.ts'

/** What the routes stand on. */
export interface MureParts {
  readonly node: LocalNode
  readonly clock: Clock
  /** Where the dashboard of this daemon listens, and whether by TLS; undefined: it has none. */
  readonly dashboard: { readonly host: string; readonly isSecure: boolean } | undefined
}

/** What Docker has no words for, under `/mure/v1/` of the same socket: the `mure` command speaks it. */
export function registerMureRoutes(router: Router, parts: MureParts): void {
  registerBackupRoutes(router, parts)
  registerNetworkRoutes(router, parts)
  registerCronRoutes(router, parts)
  registerImageRoutes(router, parts)
  registerClusterRoutes(router, parts)
  registerExplainRoutes(router, parts)
  registerIngressRoutes(router, parts)
  registerDashboardRoutes(router, parts)
  registerRebalanceRoutes(router, parts)
  registerStateRoutes(router, parts)
  registerTopRoutes(router, parts)
}
