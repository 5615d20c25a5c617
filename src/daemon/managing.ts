/**
 * All that only a manager needs, with etcd's client and the certificate authority behind it. Loaded when this node
 * first is one: a worker does without, and is a fifth smaller.
 */
export { backupCluster } from './backup.ts'
export { restoreCluster } from './cluster-restore.ts'
export { createCluster, forceNewCluster } from './cluster-start.ts'
export { startManagerRuntime } from './manager-runtime.ts'
export { startMovedManager } from './moved-manager.ts'
export { startPromoted } from './promotion.ts'
