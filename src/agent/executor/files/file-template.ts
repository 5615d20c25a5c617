import { MureError } from '#lib/errors.ts'
import type { Task } from '#model/task.ts'
import { expandPlaceholders } from '#model/placeholders.ts'
import type { PlaceholderNode } from '#model/placeholders.ts'

/** What a templated secret or config may refer to. */
export interface FileContext {
  readonly task: Task
  readonly node: PlaceholderNode
  /** By the name of their target, as the container sees them. */
  readonly secrets: ReadonlyMap<string, Buffer>
  readonly configs: ReadonlyMap<string, Buffer>
}

/**
 * The template driver `golang`: the fields that tasks offer, and `env`, `secret` and `config`, each with a quoted name.
 * @see https://docs.docker.com/reference/cli/docker/config/create/
 */
export function expandFile(text: string, context: FileContext): string {
  const { task, node, secrets, configs } = context
  const functions = {
    env: (name: string) => environmentOf(task, node).get(name) ?? '',
    secret: (name: string) => contentOf(secrets, 'secret', name),
    config: (name: string) => contentOf(configs, 'config', name),
  }
  return expandPlaceholders(text, task, node, functions)
}

function contentOf(of: ReadonlyMap<string, Buffer>, kind: string, name: string): string {
  const content = of.get(name)
  if (content === undefined) throw new MureError('invalid', `${kind} target ${name} not found`)
  return content.toString()
}

function environmentOf(task: Task, node: PlaceholderNode): Map<string, string> {
  return new Map(
    (task.spec.containers[0]?.env ?? []).map((line) => {
      const at = line.indexOf('=')
      return at < 0 ? [line, ''] : [line.slice(0, at), expandPlaceholders(line.slice(at + 1), task, node)]
    }),
  )
}
