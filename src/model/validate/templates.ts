import { errorText } from '#lib/errors.ts'
import { instant } from '#lib/clock.ts'
import type { NodeId, ServiceId, TaskId } from '../id.ts'
import { newMeta } from '../meta.ts'
import { expandPlaceholders } from '../placeholders.ts'
import type { ServiceSpec } from '../service.ts'
import type { Task } from '../task.ts'
import type { Problem } from './problem.ts'
import { problem } from './problem.ts'

const node = { id: 'node', hostname: 'host', architecture: 'x86_64', os: 'linux' }

/** Placeholders are tried on a task that never is, as swarmkit does, so that no real one meets what it can't fill in. */
export function placeholderProblems(spec: ServiceSpec): Problem[] {
  const task = exampleOf(spec)
  const refusal = (text: string | undefined): string | undefined => {
    if (text === undefined || !text.includes('{{')) return undefined
    try {
      expandPlaceholders(text, task, node)
      return undefined
    } catch (error) {
      return errorText(error)
    }
  }
  const problems: Problem[] = []
  const say = (field: string, words: (why: string) => string, text: string | undefined) => {
    const why = refusal(text)
    if (why !== undefined) problems.push(...problem(field, words(why)))
  }
  for (const { env = [], hostname, mounts = [] } of spec.template.containers) {
    for (const line of env) {
      const at = line.indexOf('=')
      const words = (why: string) => `expanding env failed: expanding env ${JSON.stringify(line)}: ${why}`
      if (at >= 0) say('ContainerSpec.Env', words, line.slice(at + 1))
    }
    say('ContainerSpec.Hostname', (why) => `expanding hostname failed: ${why}`, hostname)
    for (const { source, target, volume } of mounts) {
      const words = (what: string, text: string) => (why: string) =>
        `expanding mounts failed: expanding mount ${what} ${JSON.stringify(text)}: ${why}`
      const { labels = {}, driver } = volume ?? {}
      if (source !== undefined) say('ContainerSpec.Mounts', words('source', source), source)
      say('ContainerSpec.Mounts', words('target', target), target)
      for (const text of [...Object.values(labels), ...Object.values(driver?.options ?? {})])
        say('ContainerSpec.Mounts', words('option', text), text)
    }
  }
  return problems
}

function exampleOf(spec: ServiceSpec): Task {
  const now = instant(0)
  return {
    kind: 'task',
    meta: newMeta('task' as TaskId, now),
    spec: spec.template,
    serviceId: 'service' as ServiceId,
    serviceName: spec.name,
    serviceLabels: spec.labels,
    serviceGeneration: 1,
    slot: 1,
    nodeId: 'node' as NodeId,
    desiredState: 'running',
    attachments: [],
    ports: [],
    status: { state: 'new', since: now, message: '', error: '', containers: [] },
  }
}
