import type { Labels } from './meta.ts'

/** The label of a service that says how its tasks get what a secret or config newly holds. */
export const rotateLabel = 'mure.rotate'

export type Rotation =
  /** New tasks take the places of the old. */
  | { readonly how: 'restart' }
  /** The same containers get the new files, and then a signal. */
  | { readonly how: 'signal'; readonly signal: string }
  /** The same containers get the new files; they look for themselves. */
  | { readonly how: 'file' }

const signal = /^signal:((?:SIG)?[A-Z][A-Z0-9+-]*|[1-9]\d?)$/

/** Undefined: the label says something else. */
export function rotationOf(labels: Labels): Rotation | undefined {
  const text = labels[rotateLabel] ?? 'restart'
  if (text === 'restart' || text === 'file') return { how: text }
  const name = signal.exec(text)?.[1]
  return name === undefined ? undefined : { how: 'signal', signal: name }
}
