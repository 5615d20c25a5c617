import type { ComparedHost, Headers, Outcome } from '../../support/compared-hosts.ts'

/** Something that is done on both hosts, and whose outcomes are compared. */
export interface Case {
  readonly name: string
  run(host: ComparedHost): Promise<Outcome>
  /** Repeats until both outcomes are equal, or too long: for what takes its time. */
  readonly settles?: boolean
}

/** An API call, in the version of the engine. */
export const api = (method: string, path: string, body?: unknown, note = ''): Case => ({
  name: `${method} ${path}${note === '' ? '' : ` (${note})`}`,
  run: (host) => host.api(method, path.startsWith('/v') ? path : `/v1.41${path}`, body),
})

/** `docker …`, written as in a shell; single quotes hold words together. */
export const docker = (line: string, input?: string): Case => ({
  name: `docker ${line}`,
  run: (host) => host.docker(words(line), input),
})

/** The same with a header. */
export const withHeaders = (headers: Headers, method: string, path: string, body?: unknown): Case => ({
  name: `${method} ${path} ${JSON.stringify(headers)}`,
  run: (host) => host.api(method, `/v1.41${path}`, body, headers),
})

/** Whatever comes of it is undone, so that the next case meets the same. */
export const undone = (one: Case, undo: (host: ComparedHost) => Promise<unknown>): Case => ({
  ...one,
  async run(host) {
    const outcome = await one.run(host)
    await undo(host)
    return outcome
  },
})

export const settling = (one: Case): Case => ({ ...one, settles: true })

function words(line: string): string[] {
  return [...line.matchAll(/((?:[^\s']|'[^']*')+)/g)].map(([word]) => word.replaceAll("'", ''))
}
