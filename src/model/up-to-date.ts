import type { Service } from './service.ts'
import type { Task } from './task.ts'

/** A task is of its service's present spec when nothing that concerns it has changed since it was made. */
export function isUpToDate(task: Task, service: Service): boolean {
  if (task.serviceGeneration === service.meta.generation) return true
  return (
    sameValue(task.spec, service.spec.template) && sameValue(task.ports, service.spec.endpoint?.ports ?? [])
  )
}

/** Tasks of one generation share their template, so its text is made once. */
const texts = new WeakMap<object, string>()

function textOf(value: object): string {
  const known = texts.get(value)
  if (known !== undefined) return known
  const text = JSON.stringify(value)
  texts.set(value, text)
  return text
}

const sameValue = (a: object, b: object): boolean => a === b || textOf(a) === textOf(b)
