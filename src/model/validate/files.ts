import type { ContainerSpec, FileTarget } from '../container.ts'
import type { Problem } from './problem.ts'
import { problem } from './problem.ts'

interface Reference {
  readonly kind: 'secret' | 'config'
  readonly id: string
  readonly name: string
  readonly file?: FileTarget
  readonly runtime?: boolean
}

/** Secrets and configs: complete, and each with a place of its own. */
export function fileProblems(container: ContainerSpec): Problem[] {
  const secrets = (container.secrets ?? []).map((each): Reference => ({
    ...each,
    kind: 'secret',
    id: each.secretId,
    name: each.secretName,
  }))
  const configs = (container.configs ?? []).map((each): Reference => ({
    ...each,
    kind: 'config',
    id: each.configId,
    name: each.configName,
  }))
  const problems: Problem[] = []
  const taken = new Map<string, Reference>()
  for (const reference of [...secrets, ...configs]) {
    const { kind, name, file } = reference
    const field = kind === 'secret' ? 'ContainerSpec.Secrets' : 'ContainerSpec.Configs'
    const malformed = malformedness(reference)
    if (malformed !== undefined) problems.push(...problem(field, malformed))
    if (malformed !== undefined || file === undefined) continue
    const place = placeOf(kind, file.name)
    const other = taken.get(place)
    taken.set(place, reference)
    if (other === undefined) continue
    problems.push(
      ...problem(
        field,
        other.kind === kind
          ? `${kind} references '${other.name}' and '${name}' have a conflicting target: '${file.name}'`
          : `secret '${other.name}' and config '${name}' have a conflicting target: '${place}'`,
      ),
    )
  }
  return problems
}

/** Where it appears; a name that is no path is in the folder of its kind. */
function placeOf(kind: Reference['kind'], name: string): string {
  const path = name.startsWith('/') ? name : `${kind === 'secret' ? '/run/secrets' : ''}/${name}`
  return path.replaceAll(/\/(?:\.?\/)+/g, '/')
}

function malformedness({ kind, id, name, file, runtime }: Reference): string | undefined {
  if (id === '' || name === '') return `malformed ${kind} reference`
  if (kind === 'secret') {
    const hasTarget = file !== undefined && file.name !== ''
    return hasTarget ? numbers(kind, name, file) : 'malformed secret reference, no target provided'
  }
  if (file !== undefined && runtime === true) return 'invalid Config: cannot specify both File and Runtime'
  if (file === undefined && runtime !== true) return 'invalid Config: either File or Runtime should be set'
  if (file?.name === '') return `malformed config reference`
  return file === undefined ? undefined : numbers(kind, name, file)
}

/** Names of users mean nothing outside the container. */
function numbers(kind: string, name: string, { uid, gid }: FileTarget): string | undefined {
  for (const [what, text] of [
    ['UID', uid],
    ['GID', gid],
  ] as const)
    if (text !== '' && !/^\d+$/.test(text))
      return `the ${what} "${text}" of ${kind} '${name}' is not a number`
  return undefined
}
