import { MureError } from '#lib/errors.ts'
import { schedulingSettings, strategyOf } from '#model/scheduling.ts'
import type { SchedulingStrategy } from '#model/cluster.ts'
import { isTerminal } from '#model/task-state.ts'
import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import { newTask } from '../orchestrator/new-task.ts'
import { byAge } from '../orchestrator/slots.ts'
import { isWanted } from '../orchestrator/service-view.ts'
import { ClusterNodes } from '../scheduler/cluster-nodes.ts'
import { reportNodes } from '../scheduler/node-report.ts'
import type { NodeReport } from '../scheduler/node-report.ts'
import type { Environment } from '../verdict.ts'
import { findSubject, nameOfTask } from './subject.ts'
import { whereAndWhy } from './where-and-why.ts'

/** Where one task is, or why it is nowhere. */
export interface TaskReport {
  readonly id: string
  /** As `docker service ps` shows it: `web.1`. */
  readonly name: string
  readonly state: Task['status']['state']
  readonly desiredState: Task['desiredState']
  /** '' for none yet. */
  readonly node: string
  readonly why: string
}

export interface PlacementReport {
  readonly service: { readonly id: string; readonly name: string; readonly mode: string } | undefined
  readonly strategy: SchedulingStrategy
  /** What holds for the service as a whole: an update that is paused, nothing asked for … */
  readonly notes: readonly string[]
  readonly tasks: readonly TaskReport[]
  /** The nodes' answers: to the one task asked about as if it had no node yet, else to one more of the service. */
  readonly nodes: readonly NodeReport[]
}

/**
 * Explains a service or a task, by id, name or the beginning of an id, as of what this manager knows: by the filters
 * and scores that the scheduler itself uses.
 */
export function explainPlacement(view: View, wanted: string, env: Environment): PlacementReport {
  const { service, task } = findSubject(view, wanted)
  const like = task ?? (service === undefined ? undefined : example(service, env))
  if (like === undefined) throw new MureError('not-found', `no such task or service: ${wanted}`)
  const spec = [...view.list('cluster')][0]?.spec ?? {}
  const { strategy } = schedulingSettings(spec)
  const others = [...view.list('task')].filter((other) => other !== task)
  const { infos } = new ClusterNodes(view.list('node'), others)
  const here = [...infos.values()].filter(
    ({ node }) => !isBound(like, service) || node.meta.id === like.nodeId,
  )
  const tasks = task !== undefined ? [task] : service === undefined ? [] : tellingTasks(view, service)
  return {
    service: service && { id: service.meta.id, name: service.spec.name, mode: service.spec.mode.type },
    strategy: strategyOf(like.serviceLabels, strategy),
    notes: service === undefined ? [] : notesOf(service),
    tasks: tasks.map((each) => reportTask(view, each, service, env)),
    nodes: reportNodes(here, { like, strategy, ...env }),
  }
}

/** The task of a global service has its node from its birth. */
const isBound = (task: Task, service: Service | undefined): boolean =>
  task.nodeId !== '' && service !== undefined && service.spec.mode.type.startsWith('global')

const example = (service: Service, env: Environment): Task =>
  newTask(service, { slot: 0, desiredState: 'running' }, env)

/** Those that are wanted, and the last of each slot where none is. */
function tellingTasks(view: View, service: Service): Task[] {
  const slots = Map.groupBy(view.tasksOfService(service.meta.id), (task) =>
    task.slot === 0 ? task.nodeId : task.slot,
  )
  return [...slots.values()]
    .flatMap((tasks) => {
      const wanted = tasks.filter((task) => isWanted(task) || !isTerminal(task.status.state))
      return wanted.length > 0 ? wanted : tasks.sort(byAge).slice(-1)
    })
    .sort((a, b) => a.slot - b.slot || byAge(a, b))
}

function notesOf({ spec, status }: Service): string[] {
  const notes: string[] = []
  if (spec.mode.type === 'replicated' && spec.mode.replicas === 0) notes.push('it is scaled to 0')
  const state = status.update?.state
  if (state !== undefined && state !== 'completed' && state !== 'rollback_completed')
    notes.push(`${state.replace('_', ' ')}: ${status.update?.message ?? ''}`)
  return notes
}

function reportTask(view: View, task: Task, service: Service | undefined, env: Environment): TaskReport {
  const node = task.nodeId === '' ? undefined : view.get('node', task.nodeId)
  return {
    id: task.meta.id,
    name: nameOfTask(task),
    state: task.status.state,
    desiredState: task.desiredState,
    node: node === undefined ? task.nodeId : (node.status.description?.hostname ?? node.meta.name),
    why: whereAndWhy(view, task, service, env.now),
  }
}
