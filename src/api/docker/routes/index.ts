import type { Router } from '../../http/router.ts'
import type { FacadeParts } from '../facade.ts'
import { registerClusterRoutes } from './cluster.ts'
import { registerConfigRoutes } from './configs.ts'
import { registerContainerRoutes } from './containers.ts'
import { registerEventRoutes } from './events.ts'
import { registerLogRoutes } from './logs.ts'
import { registerNetworkRoutes } from './networks.ts'
import { registerNodeRoutes } from './nodes.ts'
import { registerSecretRoutes } from './secrets.ts'
import { registerServiceRoutes } from './services.ts'
import { registerSystemRoutes } from './system.ts'
import { registerTaskRoutes } from './tasks.ts'

/** Every path that Mure answers by itself; the engine answers the rest. */
export function registerRoutes(router: Router, parts: FacadeParts): void {
  registerSystemRoutes(router, parts)
  registerClusterRoutes(router, parts)
  registerNodeRoutes(router, parts)
  registerServiceRoutes(router, parts)
  registerLogRoutes(router, parts)
  registerContainerRoutes(router, parts)
  registerTaskRoutes(router, parts)
  registerSecretRoutes(router, parts)
  registerConfigRoutes(router, parts)
  registerNetworkRoutes(router, parts)
  registerEventRoutes(router, parts)
}
