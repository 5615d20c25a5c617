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
export const meetsConstraints = (node: Node, constraints: readonly Constraint[]): boolean =>
  constraintTest(constraints)(node)

/** The same for many nodes: what does not depend on the node is worked out once. */
export function constraintTest(constraints: readonly Constraint[]): (node: Node) => boolean {
  const tests = constraints.map(singleTest)
  return (node) => {
    for (const test of tests) if (!test(node)) return false
    return true
  }
}

function singleTest(constraint: Constraint): (node: Node) => boolean {
  const key = constraint.key.toLowerCase()
  if (key === 'node.ip') return (node) => meetsAddress(constraint, node.status.address)
  const valueOf = readerOf(constraint.key)
  // There is no such key, and so no node meets the constraint, whatever it says.
  if (valueOf === undefined) return () => false
  const wanted = constraint.value.toLowerCase()
  const same = (actual: string) => actual === constraint.value || actual.toLowerCase() === wanted
  const isEqual = constraint.operator === '=='
  if (key === 'node.platform.arch') return (node) => architectures(valueOf(node)).some(same) === isEqual
  return (node) => same(valueOf(node)) === isEqual
}

/** A malformed address or network is met by no node, whatever the operator. */
function meetsAddress({ operator, value: wanted }: Constraint, actual: string): boolean {
  const network = parseNetwork(wanted)
  if (network === undefined) return false
  return containsAddress(network, actual) === (operator === '==')
}

/** How a key's value is found on a node. */
function readerOf(name: string): ((node: Node) => string) | undefined {
  const lower = name.toLowerCase()
  if (lower.startsWith('node.labels.')) {
    const label = name.slice('node.labels.'.length)
    return (node) => node.spec.labels[label] ?? ''
  }
  if (lower.startsWith('engine.labels.')) {
    const label = name.slice('engine.labels.'.length)
    return (node) => node.status.description?.engine.labels[label] ?? ''
  }
  switch (lower) {
    case 'node.id':
      return (node) => node.meta.id
    case 'node.hostname':
      return (node) => node.status.description?.hostname ?? node.meta.name
    case 'node.role':
      return (node) => node.status.role
    case 'node.platform.os':
      return (node) => node.status.description?.platform.os ?? ''
    case 'node.platform.arch':
      return (node) => node.status.description?.platform.architecture ?? ''
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
