import { defined } from '#lib/defined.ts'
import type { Declared, IngressDeclaration, ServiceFacts } from '../declaration.ts'
import { listOf, matchesOf, Reader, readFlag, readHost, readPath, readPort } from '../values.ts'

const prefix = 'com.df.'

/**
 * Docker Flow Proxy's labels: `com.df.notify=true`, and for each destination `com.df.serviceDomain`, `servicePath`,
 * `port`; the second destination's end in `.1`, `.2` …
 * @see https://proxy.dockerflow.com/usage/
 */
export function dockerFlow({ labels, defaultPort }: ServiceFacts): Declared | undefined {
  const of = (name: string, index: string) => labels[`${prefix}${name}${index}`]
  const isWanted = readFlag(labels[`${prefix}notify`] ?? labels[`${prefix}distribute`] ?? 'false')
  if (!('value' in isWanted) || !isWanted.value) return undefined
  const reader = new Reader()
  const indexes = new Set([''])
  for (const label of Object.keys(labels)) {
    const [, index] = /^com\.df\.(?:serviceDomain|servicePath|port)(\.\d+)$/.exec(label) ?? []
    if (index !== undefined) indexes.add(index)
  }
  const declarations: IngressDeclaration[] = []
  for (const index of indexes) {
    const domain = of('serviceDomain', index)
    const path = of('servicePath', index)
    const port = of('port', index)
    if (domain === undefined && path === undefined && port === undefined) continue
    const before = reader.problems.length
    const several = (name: string, text: string | undefined, reads: typeof readHost) => {
      const list = listOf(text ?? '')
      return reader.all(`label ${prefix}${name}${index}`, list.length === 0 ? [''] : list, reads)
    }
    const declaration = defined({
      matches: matchesOf(several('serviceDomain', domain, readHost), several('servicePath', path, readPath)),
      port:
        port === undefined
          ? defaultPort
          : (reader.take(`label ${prefix}port${index}`, readPort(port)) ?? defaultPort),
      isSticky: of('sessionType', index) === 'sticky-server',
      protocol: 'http' as const,
    })
    if (reader.problems.length === before) declarations.push(declaration)
  }
  return { declarations, problems: reader.problems }
}
