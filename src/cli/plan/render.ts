import type { Difference, TaskOutcome } from '#manager/simulation/difference.ts'
import { table } from '../table.ts'

/** Most telling first. */
const verbs: readonly TaskOutcome['what'][] = ['waits', 'moves', 'restarts', 'starts', 'stops', 'completes']

export function asText({ objects, tasks, staying }: Difference): string {
  const parts: string[] = []
  if (objects.length > 0)
    parts.push(objects.map(({ kind, name, what }) => `${kind} ${name} ${what}`).join('\n'))
  if (tasks.length > 0)
    parts.push(
      table(
        ['TASK', 'WHAT', 'FROM', 'TO', 'WHY'],
        tasks.map(({ task, what, from, to, why }) => ({
          TASK: task,
          WHAT: what,
          FROM: from === '' ? '-' : from,
          TO: to === '' ? '-' : to,
          WHY: why,
        })),
      ),
    )
  const counts = verbs.flatMap((verb) => {
    const count = tasks.filter(({ what }) => what === verb).length
    return count === 0 ? [] : [`${String(count)} ${count === 1 ? verb : plural(verb)}`]
  })
  const changes = counts.length === 0 ? 'No task changes' : counts.join(', ')
  parts.push(
    `${changes}; ${String(staying)} ${staying === 1 ? 'stays' : 'stay'} as ${staying === 1 ? 'it is' : 'they are'}. This is a plan: nothing was done.`,
  )
  return parts.join('\n\n')
}

/** "one moves", "two move". */
const plural = (verb: string): string => verb.replace(/s$/, '')
