import type { Engine } from '#engine/engine.ts'
import { asObject, asText } from './adapt/json.ts'
import type { JsonObject } from './adapt/json.ts'
import { clusterNetworkOnEngine } from './engine-networks.ts'

/** What every container of a task has. */
const taskLabel = 'com.docker.swarm.task.id'

export interface ContainerFilters {
  /** As the engine is asked. */
  readonly text: string
  /** What it cannot judge. */
  passes(container: unknown): boolean
}

/**
 * `filters` of a listing of containers. A `network` may be an id that the engine does not know, and `is-task` is
 * something that it does not know of ours.
 */
export async function containerFilters(text: string, engine: Engine): Promise<ContainerFilters> {
  const { 'is-task': isTask, ...filters } = readFilters(text) ?? {}
  const networks = filters['network']
  if (networks === undefined && isTask === undefined) return { text, passes: () => true }
  // Engines take one form or the other, not both in one text.
  const isList = [...Object.values(filters), isTask].some(Array.isArray)
  const inForm = (values: readonly string[]): unknown =>
    isList ? values : Object.fromEntries(values.map((value) => [value, true]))
  if (networks !== undefined) {
    const known = textsOf(networks).map(
      async (name) => (await clusterNetworkOnEngine(engine, name))?.Id ?? name,
    )
    filters['network'] = inForm(await Promise.all(known))
  }
  if (isTask === undefined) return { text: JSON.stringify(filters), passes: () => true }
  const [wanted, more] = textsOf(isTask)
  // What it takes to be wrong it says by itself.
  if ((wanted !== 'true' && wanted !== 'false') || more !== undefined) return { text, passes: () => true }
  if (wanted === 'true') filters['label'] = inForm([...textsOf(filters['label']), taskLabel])
  return {
    text: JSON.stringify(filters),
    passes: (container) =>
      taskLabel in (asObject(asObject(container)?.['Labels']) ?? {}) === (wanted === 'true'),
  }
}

const textsOf = (values: unknown): string[] =>
  Array.isArray(values) ? (values as unknown[]).map(asText) : Object.keys(asObject(values) ?? {})

function readFilters(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}
