import { parseDuration } from './duration.ts'
import type { Labels } from './meta.ts'

/** The label of a service that says how long a task of an update may take to come up before it counts as failed. */
export const updateDeadlineLabel = 'mure.update.deadline'

const defaultMs = 10 * 60_000

export const updateDeadlineMs = (labels: Labels): number => {
  const text = labels[updateDeadlineLabel]
  return (text === undefined ? undefined : parseDuration(text)) ?? defaultMs
}
