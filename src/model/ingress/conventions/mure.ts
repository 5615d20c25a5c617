import { defined } from '#lib/defined.ts'
import type { Declared, IngressDeclaration, ServiceFacts } from '../declaration.ts'
import {
  listOf,
  matchesOf,
  Reader,
  readFlag,
  readHost,
  readNetwork,
  readPath,
  readPort,
  readProtocol,
  readRate,
  readTls,
  readWithoutTls,
} from '../values.ts'

const prefix = 'mure.ingress.'
const fields = [
  ...(['host', 'path', 'port', 'tls', 'sticky', 'healthcheck', 'rate-limit', 'protocol'] as const),
  ...(['rewrite', 'allow', 'without-tls'] as const),
]
type Field = (typeof fields)[number]
const isField = (text: string): text is Field => (fields as readonly string[]).includes(text)

/** `mure.ingress.host` and its like; a second route of the same service is `mure.ingress.<name>.host`. */
export function mureLabels({ labels, defaultPort }: ServiceFacts): Declared | undefined {
  const reader = new Reader()
  const routes = new Map<string, Map<Field, string>>()
  for (const [label, text] of Object.entries(labels)) {
    if (!label.startsWith(prefix)) continue
    const parts = label.slice(prefix.length).split('.')
    const field = parts.pop() ?? ''
    if (!isField(field) || parts.length > 1) {
      reader.problems.push(
        `label ${label} is not known; there are ${fields.map((one) => prefix + one).join(', ')}`,
      )
      continue
    }
    const name = parts[0] ?? ''
    routes.set(name, (routes.get(name) ?? new Map<Field, string>()).set(field, text))
  }
  if (routes.size === 0 && reader.problems.length === 0) return undefined
  const declarations = [...routes].flatMap(([name, values]) => {
    const route = readRoute(reader, name, values, defaultPort)
    return route === undefined ? [] : [route]
  })
  return { declarations, problems: reader.problems }
}

function readRoute(
  reader: Reader,
  name: string,
  values: ReadonlyMap<Field, string>,
  defaultPort: number,
): IngressDeclaration | undefined {
  const before = reader.problems.length
  const where = (field: Field) => `label ${prefix}${name === '' ? '' : `${name}.`}${field}`
  const text = (field: Field) => values.get(field)
  const read = <T>(field: Field, reads: (text: string) => Parameters<typeof reader.take<T>>[1]) => {
    const value = text(field)
    return value === undefined ? undefined : reader.take(where(field), reads(value))
  }
  const several = (field: 'host' | 'path' | 'allow', reads: typeof readHost) => {
    const list = listOf(text(field) ?? '')
    return reader.all(where(field), list.length === 0 ? [''] : list, reads)
  }
  const paths = several('path', readPath)
  const rewrite = read('rewrite', readPath)
  const declaration = defined({
    matches: matchesOf(several('host', readHost), paths),
    port: read('port', readPort) ?? defaultPort,
    tls: read('tls', readTls),
    isSticky: read('sticky', readFlag) ?? false,
    healthCheckPath: read('healthcheck', readPath),
    rateLimit: read('rate-limit', readRate),
    protocol: read('protocol', readProtocol) ?? 'http',
    rewrite: rewrite === undefined ? undefined : { prefixes: paths, by: rewrite },
    allowedFrom: text('allow') === undefined ? undefined : several('allow', readNetwork),
    withoutTls: read('without-tls', readWithoutTls),
  })
  // A route that is only half understood would send requests where nobody wanted them.
  return reader.problems.length > before ? undefined : declaration
}
