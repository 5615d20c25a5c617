import { containsAddress, parseNetwork } from './address.ts'
import type { Node } from './node.ts'

/** One placement constraint: `node.labels.zone==a`. */
export interface Constraint {
  readonly key: string
  readonly operator: '==' | '!='
  readonly value: string
}

const key = /^[a-z_][a-z0-9\-_.]+$/i
const value = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i
/** In the order they are looked for: a text with `==` anywhere in it is split there. */
const operators = ['==', '!='] as const

/**
 * Reads a constraint, or says why it cannot be one, as swarmkit would.
 * @see https://docs.docker.com/reference/cli/docker/service/create/#constraint
 */
export function parseConstraint(text: string): Constraint | { readonly refusal: string } {
  const operator = operators.find((candidate) => text.includes(candidate))
  if (operator === undefined)
    return { refusal: `constraint expected one operator from ${operators.join(', ')}` }
  const at = text.indexOf(operator)
  const left = text.slice(0, at).trim()
  const right = text.slice(at + operator.length).trim()
  if (!key.test(left)) return { refusal: `key '${left}' is invalid` }
  if (!value.test(right)) return { refusal: `value '${right}' is invalid` }
  return { key: left, operator, value: right }
}

/** The constraints of a placement that parse; the others were refused before they could be stored. */
export const parseConstraints = (texts: readonly string[]): Constraint[] =>
  texts.map(parseConstraint).filter((parsed): parsed is Constraint => !('refusal' in parsed))

/** Whether the node meets every constraint. Values compare without regard to case; names of labels do not. */
export function meetsConstraints(node: Node, constraints: readonly Constraint[]): boolean {
  return constraints.every((constraint) => {
    if (constraint.key.toLowerCase() === 'node.ip') return meetsAddress(constraint, node.status.address)
    const actual = valueOf(node, constraint.key)
    if (actual === undefined) return false
    const wanted = constraint.value.toLowerCase()
    const same = actual.some((candidate) => candidate.toLowerCase() === wanted)
    return constraint.operator === '==' ? same : !same
  })
}

/** A malformed address or network is met by no node, whatever the operator. */
function meetsAddress({ operator, value: wanted }: Constraint, actual: string): boolean {
  const network = parseNetwork(wanted)
  if (network === undefined) return false
  return containsAddress(network, actual) === (operator === '==')
}

/** Undefined: there is no such key, and so no node meets the constraint, whatever it says. */
function valueOf(node: Node, name: string): string[] | undefined {
  const lower = name.toLowerCase()
  const { description } = node.status
  if (lower.startsWith('node.labels.')) return [node.spec.labels[name.slice('node.labels.'.length)] ?? '']
  if (lower.startsWith('engine.labels.'))
    return [description?.engine.labels[name.slice('engine.labels.'.length)] ?? '']
  switch (lower) {
    case 'node.id':
      return [node.meta.id]
    case 'node.hostname':
      return [description?.hostname ?? node.meta.name]
    case 'node.role':
      return [node.status.role]
    case 'node.platform.os':
      return [description?.platform.os ?? '']
    case 'node.platform.arch':
      return architectures(description?.platform.architecture ?? '')
    default:
      return undefined
  }
}

/** The kernel and Go name the same machine differently; people write either. */
const architectureNames: readonly (readonly string[])[] = [
  ['x86_64', 'amd64'],
  ['aarch64', 'arm64'],
  ['i386', 'i686', '386'],
]

export const architectures = (name: string): string[] => [
  ...(architectureNames.find((names) => names.includes(name)) ?? [name]),
]
