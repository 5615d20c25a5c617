import { MureError } from '#lib/errors.ts'

/** What is wrong with a spec, and where. */
export interface Problem {
  readonly path: string
  readonly message: string
}

/** All problems as one refusal. Docker's sentences stand alone; the path helps where a sentence does not name it. */
export function refuse(problems: readonly Problem[]): void {
  const first = problems[0]
  if (first === undefined) return
  throw new MureError('invalid', problems.map((problem) => problem.message).join('; '), {
    details: { problems },
  })
}
