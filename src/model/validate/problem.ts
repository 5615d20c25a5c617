import { MureError } from '#lib/errors.ts'

/** What is wrong with a spec, and where. */
export interface Problem {
  readonly path: string
  readonly message: string
}

/** All problems as one refusal. Docker's sentences stand alone; the path helps where a sentence does not name it. */
export function refuse(problems: readonly Problem[], words = (text: string) => text): void {
  const first = problems[0]
  if (first === undefined) return
  throw new MureError('invalid', words(problems.map(({ message }) => message).join('; ')), {
    details: { problems },
  })
}

export const problem = (path: string, message: string): Problem[] => [{ path, message }]
