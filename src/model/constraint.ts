import type { Node } from './node.ts'

/** One placement constraint: `node.labels.zone==a`. */
export interface Constraint {
  readonly key: string
  readonly operator: '==' | '!='
  readonly value: string
}

const key = /^[a-z0-9][a-z0-9\-_.]+$/i
const value = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i

/**
 * Reads a constraint, or says why it cannot be one.
 * @see https://docs.docker.com/reference/cli/docker/service/create/#constraint
 */
export function parseConstraint(text: string): Constraint | { readonly refusal: string } {
  const at = text.search(/[!=]=/)
  if (at < 0) return { refusal: `constraint expected one operator from ==, !=` }
  const left = text.slice(0, at).trim()
  const right = text.slice(at + 2).trim()
  if (!key.test(left)) return { refusal: `key '${left}' is invalid` }
  if (right === '' || !value.test(right)) return { refusal: `value '${right}' is invalid` }
  return { key: left, operator: text.slice(at, at + 2) as '==' | '!=', value: right }
}

/** Whether the node meets every constraint. Values compare without regard to case, except those of labels. */
export function meetsConstraints(node: Node, constraints: readonly Constraint[]): boolean {
  return constraints.every((constraint) => {
    const actual = valueOf(node, constraint.key)
    if (actual === undefined) return false
    const same = actual.some((candidate) => sameValue(constraint, candidate))
    return constraint.operator === '==' ? same : !same
  })
}

function sameValue(constraint: Constraint, actual: string): boolean {
  if (constraint.key.toLowerCase() === 'node.ip') return sameNetwork(constraint.value, actual)
  if (/^(node|engine)\.labels\./i.test(constraint.key)) return actual === constraint.value
  return actual.toLowerCase() === constraint.value.toLowerCase()
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
    case 'node.ip':
      return [node.status.address]
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

/** An address, or one within `a.b.c.d/n`. */
function sameNetwork(wanted: string, actual: string): boolean {
  const [network = '', bits] = wanted.split('/')
  if (bits === undefined) return network === actual
  const size = Number(bits)
  const a = toNumber(network)
  const b = toNumber(actual)
  if (a === undefined || b === undefined || !(size >= 0 && size <= 32)) return false
  const mask = size === 0 ? 0 : (~0 << (32 - size)) >>> 0
  return (a & mask) >>> 0 === (b & mask) >>> 0
}

function toNumber(address: string): number | undefined {
  const parts = address.split('.').map(Number)
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined
  return parts.reduce((number, part) => number * 256 + part, 0)
}
