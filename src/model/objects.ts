import type { Cluster } from './cluster.ts'
import type { Network } from './network.ts'
import type { Node } from './node.ts'
import type { Config, Secret } from './secret.ts'
import type { Service } from './service.ts'
import type { Task } from './task.ts'

/** Every kind of object that the store holds. */
export interface ObjectsByKind {
  cluster: Cluster
  node: Node
  service: Service
  task: Task
  network: Network
  secret: Secret
  config: Config
}

export type Kind = keyof ObjectsByKind
export type StoredObject = ObjectsByKind[Kind]

export const kinds: readonly Kind[] = ['cluster', 'node', 'service', 'task', 'network', 'secret', 'config']

/** Kinds whose names are unique. A node's name is its hostname, which may repeat; tasks have none. */
export const uniquelyNamed: ReadonlySet<Kind> = new Set<Kind>([
  'cluster',
  'service',
  'network',
  'secret',
  'config',
])
