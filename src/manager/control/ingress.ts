import type { Instant } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { Random } from '#lib/random.ts'
import { newId } from '#model/id.ts'
import type { NodeId } from '#model/id.ts'
import { parseConstraint } from '#model/constraint.ts'
import type { RouteInForce } from '#model/ingress/configuration.ts'
import type { IngressProblem } from '#model/ingress/routes.ts'
import { ingressDefaults } from '#model/ingress/settings.ts'
import type { IngressSettings } from '#model/ingress/settings.ts'
import { readNetwork } from '#model/ingress/values.ts'
import { isRunnable } from '#model/task-state.ts'
import type { View } from '#store/mirror/view.ts'
import { deriveIngress, ingressSettings, runsIngress } from '../ingress/derive.ts'
import type { WriteOptions } from './control.ts'
import type { ObjectWriter } from './objects.ts'
import { theCluster } from './the-cluster.ts'

/** The HTTP ingress as it is wished for and as it is. No password is in it. */
export interface IngressState {
  readonly enabled: boolean
  readonly httpPort: number
  readonly httpsPort: number
  readonly statisticsPort: number
  readonly nodes: readonly IngressNode[]
  readonly routes: readonly (RouteInForce & {
    /** Tasks that requests go to now. */ readonly targets: number
  })[]
  readonly problems: readonly IngressProblem[]
}

export interface IngressNode {
  readonly id: NodeId
  readonly hostname: string
  readonly address: string
  readonly state: 'running' | 'starting' | 'failed' | 'down'
  readonly problems: readonly string[]
}

export function ingressStateOf(view: View, now: Instant): IngressState {
  const settings = ingressSettings(view)
  const { httpPort, httpsPort, statisticsPort } = { ...ingressDefaults, ...settings }
  const ports = { httpPort, httpsPort, statisticsPort }
  if (settings?.enabled !== true) return { enabled: false, ...ports, nodes: [], routes: [], problems: [] }
  const { configuration, problems } = deriveIngress(view, settings, [], now)
  const nodes = [...view.list('node')].filter((node) => runsIngress(node, settings))
  return {
    enabled: true,
    ...ports,
    nodes: nodes.map(({ meta, status }) => {
      const seen = status.description?.ingress
      return {
        id: meta.id,
        hostname: status.description?.hostname ?? '',
        address: status.address,
        state: status.state === 'ready' ? (seen?.state ?? 'starting') : 'down',
        problems: seen?.problems ?? [],
      }
    }),
    routes: configuration.routes.map((route) => {
      const tasks = [...view.tasksOfService(route.serviceId)]
      const targets = tasks.filter((task) => task.status.state === 'running' && isRunnable(task.desiredState))
      return { ...route, targets: targets.length }
    }),
    problems,
  }
}

/** What a person changes; what is absent stays. */
export type IngressChange = Partial<Omit<IngressSettings, 'cookieKey'>>

export async function updateIngress(
  writer: ObjectWriter,
  change: IngressChange,
  options: WriteOptions,
): Promise<IngressSettings> {
  const cluster = theCluster(writer.mirror)
  const before = cluster.spec.ingress ?? firstSettings(writer.random)
  const settings: IngressSettings = { ...before, ...change }
  refuseBad(settings)
  await writer.change('cluster', cluster.meta.id, cluster.meta.version, options, (present) => ({
    ...present,
    meta: writer.nextMeta(present.meta, present.meta.labels, options),
    spec: { ...present.spec, ingress: settings },
  }))
  return settings
}

const firstSettings = (random: Random): IngressSettings => ({
  enabled: false,
  login: { user: ingressDefaults.user, password: newId(random) },
  cookieKey: newId(random),
})

/** All of it ends up in HAProxy's configuration: only what can be nothing else is let in. */
function refuseBad(settings: IngressSettings): void {
  const ports = { httpPort: 'HTTP port', httpsPort: 'HTTPS port', statisticsPort: 'statistics port' } as const
  const chosen = { ...ingressDefaults, ...settings }
  for (const [key, name] of Object.entries(ports)) {
    const port = chosen[key as keyof typeof ports]
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw invalid(`the ingress's ${name} is a number between 1 and 65535, not ${String(port)}`)
  }
  if (new Set([chosen.httpPort, chosen.httpsPort, chosen.statisticsPort]).size < 3)
    throw invalid("the ingress's three ports must differ")
  for (const text of settings.nodes ?? []) {
    const parsed = parseConstraint(text)
    if ('refusal' in parsed) throw invalid(`nodes of the ingress: ${parsed.refusal}`)
  }
  const { user, password } = settings.login
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(user) || !/^[A-Za-z0-9_.+=-]{8,128}$/.test(password))
    throw invalid(
      'the login of the statistics is USER:PASSWORD; the password has 8 or more letters, digits and _ . + = -',
    )
  for (const text of settings.proxiesFrom ?? []) {
    const network = readNetwork(text)
    if ('problem' in network) throw invalid(`where proxies are: ${network.problem}`)
  }
  const folder = settings.certificateFolder
  if (folder !== undefined && !/^\/[A-Za-z0-9_./-]+$/.test(folder))
    throw invalid(`the folder of certificates is an absolute path without spaces, not "${folder}"`)
  const { acme } = settings
  if (acme !== undefined && !/^https:\/\/\S+$/.test(acme.directory))
    throw invalid(`the authority's directory is an https URL, not "${acme.directory}"`)
  if (acme?.email !== undefined && !/^[^\s@]+@[^\s@]+$/.test(acme.email))
    throw invalid(`"${acme.email}" is not an address to write to`)
  if (acme?.trust !== undefined && !acme.trust.includes('BEGIN CERTIFICATE'))
    throw invalid("the authority's root is not a certificate in PEM form")
}

const invalid = (text: string) => new MureError('invalid', text)
