/** The agents of `mure bench manager`, all in this one process: they say what real ones would, and run nothing. */
import { systemClock } from '#lib/clock.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import { compareStates, isRunnable } from '#model/task-state.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { connectRpc } from '#rpc/client.ts'
import type { AgentMessage, ManagerMessage, TaskStatusUpdate } from '#rpc/messages.ts'
import type { Identity } from '#rpc/transport.ts'

export interface Fleet {
  readonly address: string
  readonly identities: readonly Identity[]
}

/** As a real agent gathers what it has to say. */
const gatherMs = 20
const reconnectMs = 500

/** Opens a session again whenever it ends, as a real agent does: on a busy machine some are lost. */
async function runAgent(address: string, identity: Identity): Promise<void> {
  for (;;) {
    await runSession(address, identity).catch((error: unknown) => {
      process.stderr.write(`a session of an agent failed: ${String(error)}\n`)
    })
    await sleep(reconnectMs)
  }
}

async function runSession(address: string, identity: Identity): Promise<void> {
  using wait = startWait({ timeoutMs: 60_000, what: 'the manager to answer' })
  const client = await connectRpc(address, { identity, trust: identity.trust, clock: systemClock }, wait)
  const stream = await client.open<ManagerMessage, AgentMessage>('/v1/session', wait)
  const updates = new Map<Task['meta']['id'], TaskStatusUpdate>()
  const flush = () => {
    if (updates.size > 0) stream.send({ type: 'status', updates: [...updates.values()] })
    updates.clear()
  }
  stream.send(helloOf(identity.nodeId))
  let beating: NodeJS.Timeout | undefined
  using _beats = {
    [Symbol.dispose]: () => {
      clearInterval(beating)
    },
  }
  for await (const message of stream)
    switch (message.type) {
      case 'welcome':
        beating = setInterval(() => {
          stream.send({ type: 'beat', at: Date.now() })
        }, message.heartbeatMs / 2)
        break
      case 'assignments':
        for (const task of message.tasks.put) {
          const state = answerTo(task)
          if (state === undefined) continue
          if (updates.size === 0) setTimeout(flush, gatherMs)
          updates.set(task.meta.id, { taskId: task.meta.id, status: statusOf(task, state) })
        }
        stream.send({ type: 'applied', sequence: message.sequence })
        break
      case 'data-plane':
        stream.send({ type: 'data-plane-applied', sequence: message.sequence })
        break
      default:
        break
    }
}

function helloOf(nodeId: NodeId): AgentMessage {
  return {
    type: 'hello',
    description: {
      hostname: nodeId,
      platform: { architecture: 'x86_64', os: 'linux' },
      resources: { cpuNano: 1e15, memoryBytes: 2 ** 50 },
      engine: { version: '20.10.24', labels: {}, plugins: [] },
      mureVersion: '0.1.0',
    },
    advertiseAddress: '',
    listenAddress: '127.0.0.1:2377',
    bootEpoch: Date.now(),
  }
}

function answerTo({ desiredState, status }: Task): TaskState | undefined {
  if (!isRunnable(desiredState)) return compareStates(status.state, 'running') <= 0 ? 'shutdown' : undefined
  return compareStates(status.state, 'running') < 0 ? 'running' : undefined
}

function statusOf(task: Task, state: TaskState): Task['status'] {
  const now = systemClock.now()
  const containerId = task.meta.id.padEnd(64, '0')
  return {
    state,
    since: now,
    message: state === 'running' ? 'started' : state,
    error: '',
    containers: [{ name: '', containerId, pid: 4_711, startedAt: now }],
  }
}

process.once('message', (fleet: Fleet) => {
  Promise.all(fleet.identities.map((identity) => runAgent(fleet.address, identity))).catch(
    (error: unknown) => {
      process.stderr.write(`an agent failed: ${String(error)}\n`)
      process.exit(1)
    },
  )
})
process.once('disconnect', () => process.exit(0))
