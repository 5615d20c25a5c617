import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { IngressChange } from '#manager/control/ingress.ts'
import { ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { MureParts } from './index.ts'

const changeTimeoutMs = 20_000

/** The HTTP ingress: what it is, and what it shall be. */
export function registerIngressRoutes(router: Router, { node }: MureParts): void {
  router.add('GET', '/mure/v1/ingress', async () => ok(node.control().ingress()))

  // Apart from the state, which is shown to people who may not have it.
  router.add('GET', '/mure/v1/ingress/login', async () => {
    for (const { spec } of node.control().view.list('cluster')) return ok(spec.ingress?.login ?? null)
    return ok(null)
  })

  router.add('POST', '/mure/v1/ingress', async (request) => {
    const change = changeOf(await request.json())
    using wait = startWait({
      timeoutMs: changeTimeoutMs,
      signal: request.signal,
      what: 'the change to be stored',
    })
    await node.control().updateIngress(change, { wait })
    return ok(node.control().ingress())
  })
}

type Kind = 'boolean' | 'number' | 'string' | 'object'

const members: Readonly<Record<keyof IngressChange, Kind>> = {
  enabled: 'boolean',
  httpPort: 'number',
  httpsPort: 'number',
  statisticsPort: 'number',
  nodes: 'object',
  login: 'object',
  certificateFolder: 'string',
  proxiesFrom: 'object',
  accessLog: 'boolean',
  acme: 'object',
}

function changeOf(body: unknown): IngressChange {
  if (typeof body !== 'object' || body === null) throw invalid('a change of the ingress is a JSON object')
  for (const [name, value] of Object.entries(body)) {
    const kind = (members as Readonly<Record<string, Kind | undefined>>)[name]
    if (kind === undefined) throw invalid(`the ingress has no "${name}"`)
    if (typeof value !== kind || value === null) throw invalid(`"${name}" of the ingress is a ${kind}`)
  }
  const { nodes, proxiesFrom, login, acme } = body as Record<string, unknown>
  const isText = (value: unknown) => typeof value === 'string'
  if (nodes !== undefined && !(Array.isArray(nodes) && nodes.every(isText)))
    throw invalid('"nodes" of the ingress is a list of constraints')
  if (proxiesFrom !== undefined && !(Array.isArray(proxiesFrom) && proxiesFrom.every(isText)))
    throw invalid('"proxiesFrom" of the ingress is a list of networks')
  if (
    login !== undefined &&
    !['user', 'password'].every((name) => isText((login as Record<string, unknown>)[name]))
  )
    throw invalid('"login" of the ingress has a user and a password')
  if (acme !== undefined && !isText((acme as Record<string, unknown>)['directory']))
    throw invalid('"acme" of the ingress has a directory')
  return body
}

const invalid = (text: string) => new MureError('invalid', text)
