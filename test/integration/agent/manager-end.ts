import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { compareStates } from '#model/task-state.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import type { AgentMessage, ManagerAddress, ManagerMessage } from '#rpc/messages.ts'
import { startRpcServer } from '#rpc/server.ts'
import type { Identity, MessageStream, RpcServer } from '#rpc/transport.ts'
import type { Duplex } from 'node:stream'
import { until } from './host.ts'

type AgentStream = MessageStream<AgentMessage, ManagerMessage>

/** A manager's end of sessions, over the real transport: it says what the test tells it to, and notes what it hears. */
export class ManagerEnd implements AsyncDisposable {
  readonly tasks = new Map<string, Task>()
  /** Every state that was reported, in order. */
  readonly heard: { taskId: string; status: TaskStatus; at: number }[] = []
  readonly beats: number[] = []
  readonly hellos: Extract<AgentMessage, { type: 'hello' }>[] = []
  readonly descriptions: Extract<AgentMessage, { type: 'description' }>['description'][] = []
  readonly relays = new Map<string, Duplex>()
  managers: readonly ManagerAddress[] = []
  heartbeatMs = 1_000
  /** Whether a task's state is stored. The agent says nothing more of a task before. */
  acknowledges: (state: TaskState) => boolean = () => true
  /** Does not welcome anybody, like a manager without a store. */
  isMute = false
  sequence = 0
  stream: AgentStream | undefined
  readonly #server: RpcServer

  private constructor(server: RpcServer) {
    this.#server = server
    server.stream<AgentMessage, ManagerMessage>('/v1/session', 'node', (stream) => this.#serve(stream))
    server.raw('/v1/relay/', 'node', async (id, bytes) => {
      this.relays.set(id, bytes)
    })
  }

  static async start(identity: Identity): Promise<ManagerEnd> {
    return new ManagerEnd(
      await startRpcServer({
        host: '127.0.0.1',
        port: 0,
        identity,
        clusterId: 'cluster',
        clock: systemClock,
        logger: silentLogger,
      }),
    )
  }

  get address(): string {
    return `127.0.0.1:${String(this.#server.port)}`
  }

  /** Gives the agent a task, or what is wanted of it anew. */
  put(...tasks: Task[]): void {
    for (const task of tasks) this.tasks.set(task.meta.id, task)
    this.#assign(false, tasks, [])
  }

  want(task: Task, desiredState: TaskState): void {
    this.put({ ...(this.tasks.get(task.meta.id) ?? task), desiredState })
  }

  remove(...tasks: Task[]): void {
    for (const task of tasks) this.tasks.delete(task.meta.id)
    this.#assign(
      false,
      [],
      tasks.map((task) => task.meta.id),
    )
  }

  status(task: Task): TaskStatus | undefined {
    return this.heard.findLast((report) => report.taskId === task.meta.id)?.status
  }

  states(task: Task): TaskState[] {
    const states = this.heard.filter((report) => report.taskId === task.meta.id).map((r) => r.status.state)
    return states.filter((state, index) => state !== states[index - 1])
  }

  /** The task's status once it has reached the state (or a later one). */
  reaches(task: Task, state: TaskState, timeoutMs = 30_000): Promise<TaskStatus> {
    return until(() => {
      const status = this.status(task)
      return status !== undefined && compareStates(status.state, state) >= 0 ? status : undefined
    }, timeoutMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }

  async #serve(stream: AgentStream): Promise<void> {
    for await (const message of stream) {
      if (message.type === 'hello') this.#welcome(stream, message)
      else if (message.type === 'beat') this.beats.push(performance.now())
      else if (message.type === 'description') this.descriptions.push(message.description)
      else if (message.type === 'status') {
        for (const { taskId, status } of message.updates)
          this.heard.push({ taskId, status, at: performance.now() })
        const stored = message.updates.filter(({ status }) => this.acknowledges(status.state))
        for (const { taskId, status } of stored) {
          const task = this.tasks.get(taskId)
          if (task !== undefined) this.tasks.set(taskId, { ...task, status })
        }
        if (stored.length > 0) stream.send({ type: 'stored', taskIds: stored.map(({ taskId }) => taskId) })
      }
    }
    if (this.stream === stream) this.stream = undefined
  }

  #welcome(stream: AgentStream, hello: ManagerEnd['hellos'][number]): void {
    this.hellos.push(hello)
    if (this.isMute) return
    this.stream = stream
    const nodeId = stream.peer?.nodeId
    if (nodeId === undefined) throw new Error('nobody')
    stream.send({ type: 'welcome', nodeId, heartbeatMs: this.heartbeatMs, managers: this.managers })
    this.#assign(true, [...this.tasks.values()], [])
  }

  #assign(full: boolean, put: readonly Task[], remove: readonly string[]): void {
    if (this.stream === undefined) return
    this.sequence += 1
    const nothing = { put: [], remove: [] }
    this.stream.send({
      type: 'assignments',
      full,
      sequence: this.sequence,
      tasks: { put, remove },
      secrets: nothing,
      configs: nothing,
      networks: nothing,
    })
  }
}
