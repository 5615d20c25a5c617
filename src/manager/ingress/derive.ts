import type { Instant } from '#lib/clock.ts'
import { defined } from '#lib/defined.ts'
import { meetsConstraints, parseConstraints } from '#model/constraint.ts'
import type {
  AcmeChallenge,
  IngressCertificate,
  IngressConfiguration,
  RouteInForce,
} from '#model/ingress/configuration.ts'
import type { TlsSource } from '#model/ingress/declaration.ts'
import { routesOf } from '#model/ingress/routes.ts'
import type { IngressProblem, IngressRoute } from '#model/ingress/routes.ts'
import { ingressDefaults } from '#model/ingress/settings.ts'
import type { IngressSettings } from '#model/ingress/settings.ts'
import type { Node } from '#model/node.ts'
import type { View } from '#store/mirror/view.ts'
import { acmeSecretName, certificateOfSecret } from './certificates.ts'

export interface DerivedIngress {
  readonly configuration: IngressConfiguration
  readonly problems: readonly IngressProblem[]
}

export function ingressSettings(view: View): IngressSettings | undefined {
  for (const cluster of view.list('cluster')) return cluster.spec.ingress
  return undefined
}

/** Whether this node is to run HAProxy. */
export function runsIngress(node: Node, settings: IngressSettings | undefined): boolean {
  if (settings?.enabled !== true) return false
  return meetsConstraints(node, parseConstraints(settings.nodes ?? ingressDefaults.nodes))
}

/** What all nodes of the ingress are told, and what is wrong with what services ask for. */
export function deriveIngress(
  view: View,
  settings: IngressSettings,
  challenges: readonly AcmeChallenge[],
  now: Instant,
): DerivedIngress {
  const found = routesOf(view.list('service'))
  const problems: IngressProblem[] = [...found.problems]
  const certificates = new Map<string, IngressCertificate>()
  const routes = found.routes.map((route): RouteInForce => {
    const { tls } = route
    const chosen = tls === undefined ? undefined : certificatesOf(view, route, tls, settings, now)
    if (chosen === undefined) return { ...route, isSecure: false }
    for (const certificate of chosen.certificates) certificates.set(certificate.id, certificate)
    const { serviceId, serviceName } = route
    for (const message of chosen.problems) problems.push({ serviceId, serviceName, message })
    return { ...route, isSecure: chosen.isSecure }
  })
  const { httpPort, httpsPort, statisticsPort } = { ...ingressDefaults, ...settings }
  const { login, cookieKey, certificateFolder, proxiesFrom, accessLog = true } = settings
  return {
    problems,
    configuration: defined({
      httpPort,
      httpsPort,
      statisticsPort,
      login,
      cookieKey,
      accessLog,
      certificateFolder,
      proxiesFrom,
      routes,
      certificates: [...certificates.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
      challenges,
    }),
  }
}

interface Chosen {
  readonly certificates: readonly IngressCertificate[]
  readonly problems: readonly string[]
  readonly isSecure: boolean
}

function certificatesOf(
  view: View,
  route: IngressRoute,
  tls: TlsSource,
  settings: IngressSettings,
  now: Instant,
): Chosen | undefined {
  const hosts = [...new Set(route.matches.map(({ host }) => host))]
  switch (tls.from) {
    case 'folder':
      if (settings.certificateFolder !== undefined) return { certificates: [], problems: [], isSecure: true }
      return refused('tls: no folder of certificates is set; see "mure ingress enable --certificates"')
    case 'secret': {
      const certificate = certificateOfSecret(view, tls.name, hosts, now)
      if ('problem' in certificate) return refused(`tls: secret ${tls.name}: ${certificate.problem}`)
      return {
        certificates: [{ id: `secret-${tls.name}`, pem: certificate.pem }],
        problems: [],
        isSecure: true,
      }
    }
    case 'auto':
      return settings.acme === undefined ? undefined : fromAuthority(view, hosts, now)
    case 'acme':
      if (settings.acme === undefined)
        return refused('tls: no authority is set; see "mure ingress enable --acme"')
      return fromAuthority(view, hosts, now)
  }
}

const refused = (problem: string): Chosen => ({ certificates: [], problems: [problem], isSecure: false })

function failureOf(view: View, host: string): string {
  for (const { status } of view.list('cluster')) {
    const failure = status.acmeFailures?.[host]
    if (failure !== undefined) return `: ${failure.message}`
  }
  return ''
}

function fromAuthority(view: View, hosts: readonly string[], now: Instant): Chosen {
  const certificates: IngressCertificate[] = []
  const problems: string[] = []
  for (const host of hosts) {
    if (host.includes('*')) {
      problems.push(
        `tls: ${host === '*' ? 'any host' : host} cannot have a certificate by ACME's HTTP challenge`,
      )
      continue
    }
    const name = acmeSecretName(host)
    if (view.byName('secret', name) === undefined)
      problems.push(`tls: the certificate of ${host} has not come yet${failureOf(view, host)}`)
    else {
      const certificate = certificateOfSecret(view, name, [host], now)
      if ('problem' in certificate) problems.push(`tls: ${host}: ${certificate.problem}`)
      else certificates.push({ id: name, pem: certificate.pem })
    }
  }
  return { certificates, problems, isSecure: problems.length === 0 }
}
