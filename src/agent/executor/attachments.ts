import type { Task } from '#model/task.ts'

/** What a task's networks add to the container that the engine is asked to create. */
export interface Attached {
  /** The engine's `HostConfig.NetworkMode`; absent = its default bridge. */
  readonly networkMode?: string
  /** The engine's `NetworkingConfig.EndpointsConfig`, by network. */
  readonly endpoints?: Readonly<Record<string, object>>
  /** Further networks: older engines take one at the creation alone. */
  readonly connects?: readonly { readonly name: string; readonly config: object }[]
  /** Name servers, unless the task names its own. */
  readonly nameservers?: readonly string[]
}

/** Where networks come in: makes those of a task ready on this host, before its container is created. */
export interface AttachmentProvider {
  /** May be called again for the same task. Throws `unavailable` for what may pass; anything else ends the task. */
  attach(task: Task, signal: AbortSignal): Promise<Attached>
}

/** Every task on the engine's own bridge, with its host-mode ports. */
export const defaultBridge: AttachmentProvider = {
  attach: () => Promise.resolve({}),
}
