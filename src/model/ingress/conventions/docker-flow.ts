import { defined } from '#lib/defined.ts'
import type {
  Declared,
  IngressDeclaration,
  IngressUser,
  PathRewrite,
  ServiceFacts,
  TlsSource,
} from '../declaration.ts'
import { listOf, matchesOf, Reader, readFlag, readHost, readPath, readPort, readUser } from '../values.ts'

const prefix = 'com.df.'

/** They keep people out: a route without them would let in who must not. */
const refused = [
  'usersSecret',
  'allowedMethods',
  'deniedMethods',
  'serviceDomainAlgo',
  'servicePathExclude',
  'verifyClientSsl',
  'serviceHeader',
  'userAgent',
] as const

type Labels = (name: string, index: string) => string | undefined

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
    // Those that concern the service as a whole are written without a number too.
    const flag = (name: string) => {
      const text = of(name, index) ?? of(name, '')
      return text === undefined ? undefined : reader.take(`label ${prefix}${name}`, readFlag(text))
    }
    const users = of('users', index) ?? of('users', '')
    const declaration = defined({
      matches: matchesOf(several('serviceDomain', domain, readHost), several('servicePath', path, readPath)),
      port:
        port === undefined
          ? defaultPort
          : (reader.take(`label ${prefix}port${index}`, readPort(port)) ?? defaultPort),
      isSticky: of('sessionType', index) === 'sticky-server',
      protocol: 'http' as const,
      tls: flag('httpsOnly') === true ? ({ from: 'auto' } satisfies TlsSource) : undefined,
      withoutTls: flag('denyHttp') === true ? ('refuse' as const) : undefined,
      rewrite: rewriteOf(reader, index, of),
      users:
        users === undefined ? undefined : usersOf(reader, index, users, flag('usersPassEncrypted') ?? false),
    })
    const mode = of('reqMode', index) ?? 'http'
    if (mode !== 'http')
      reader.problems.push(`label ${prefix}reqMode${index}: only http is led by the ingress`)
    for (const name of refused)
      if ((of(name, index) ?? of(name, '')) !== undefined)
        reader.problems.push(`label ${prefix}${name}${index} is not understood, so the route is left out`)
    if (reader.problems.length === before) declarations.push(declaration)
  }
  return { declarations, problems: reader.problems }
}

/** `reqPathSearch` is a regular expression there; here it is understood where it is the beginning of a path. */
function rewriteOf(reader: Reader, index: string, of: Labels): PathRewrite | undefined {
  const [search, replace] = of('reqPathSearchReplace', index)?.split(',') ?? [
    of('reqPathSearch', index),
    of('reqPathReplace', index),
  ]
  if (search === undefined) return undefined
  const where = (name: string) => `label ${prefix}${name}${index}`
  const literal = search.trim().replace(/^\^/, '').replaceAll('\\/', '/')
  if (!/^\/[A-Za-z0-9_~/-]*$/.test(literal)) {
    reader.problems.push(
      `${where('reqPathSearch')}: only the beginning of a path is understood, such as /api/`,
    )
    return undefined
  }
  const by = reader.take(where('reqPathReplace'), readPath(replace ?? ''))
  return by === undefined ? undefined : { prefixes: [literal], by }
}

/** `name:password,name:password`, hashed only where the service says so. */
function usersOf(reader: Reader, index: string, text: string, isHashed: boolean): IngressUser[] {
  return listOf(text).flatMap((one) => {
    const [, name = '', password = ''] =
      /^([A-Za-z0-9._@-]{1,64}):([A-Za-z0-9._@!*+=,/-]{1,128})$/.exec(one) ?? []
    if (!isHashed && name !== '') return [{ name, password, isHashed }]
    const user = isHashed ? reader.take(`label ${prefix}users${index}`, readUser(one)) : undefined
    if (!isHashed) reader.problems.push(`label ${prefix}users${index}: users are written name:password`)
    return user === undefined ? [] : [user]
  })
}
