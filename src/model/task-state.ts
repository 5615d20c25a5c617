/**
 * The states of a task, in the one direction it may move. Of two observations the later state is right.
 * Order as shown by Docker's own `docker service ps`.
 */
export const taskStates = [
  'new',
  'pending',
  'assigned',
  'accepted',
  'preparing',
  'ready',
  'starting',
  'running',
  'complete',
  'shutdown',
  'failed',
  'rejected',
  'remove',
  'orphaned',
] as const
export type TaskState = (typeof taskStates)[number]

const order = new Map<TaskState, number>(taskStates.map((state, index) => [state, index]))

/** Negative when `a` comes before `b`. */
export const compareStates = (a: TaskState, b: TaskState): number => (order.get(a) ?? 0) - (order.get(b) ?? 0)

/** The task has ended, however it did. */
export const isTerminal = (state: TaskState): boolean => compareStates(state, 'running') > 0

/** Between its birth and its end. */
export const isLive = (state: TaskState): boolean => !isTerminal(state)

/** A desired state in which the manager wants the task to run, or to become ready to; `complete` is a job's. */
export const isRunnable = (desired: TaskState): boolean => compareStates(desired, 'complete') <= 0

export type TransitionOwner = 'orchestrator' | 'allocator' | 'scheduler' | 'agent' | 'node-health'

/**
 * Who may move a task's observed state from where to where. Any owner may skip forward within its row.
 * `node-health` alone may orphan a task whose node is gone for good.
 */
export const transitions: Readonly<
  Record<TransitionOwner, Readonly<Partial<Record<TaskState, readonly TaskState[]>>>>
> = {
  orchestrator: {},
  allocator: { new: ['pending'] },
  scheduler: { pending: ['assigned'] },
  agent: {
    assigned: [
      'accepted',
      'preparing',
      'ready',
      'starting',
      'running',
      'complete',
      'shutdown',
      'failed',
      'rejected',
    ],
    accepted: ['preparing', 'ready', 'starting', 'running', 'complete', 'shutdown', 'failed', 'rejected'],
    preparing: ['ready', 'starting', 'running', 'complete', 'shutdown', 'failed', 'rejected'],
    ready: ['starting', 'running', 'complete', 'shutdown', 'failed', 'rejected'],
    starting: ['running', 'complete', 'shutdown', 'failed', 'rejected'],
    running: ['complete', 'shutdown', 'failed', 'rejected'],
  },
  'node-health': {
    assigned: ['orphaned'],
    accepted: ['orphaned'],
    preparing: ['orphaned'],
    ready: ['orphaned'],
    starting: ['orphaned'],
    running: ['orphaned'],
  },
}

export function mayTransition(owner: TransitionOwner, from: TaskState, to: TaskState): boolean {
  return transitions[owner][from]?.includes(to) ?? false
}
