import type { Instant } from '#lib/clock.ts'
import type { AcmeFailure, AcmeFailures } from '#model/ingress/acme.ts'
import { routesOf } from '#model/ingress/routes.ts'
import type { View } from '#store/mirror/view.ts'
import { acmeSecretName, validityOf } from '../certificates.ts'
import { ingressSettings } from '../derive.ts'

const firstRetryMs = 30_000
const lastRetryMs = 3_600_000

export const retryAt = ({ at, attempts }: AcmeFailure): number =>
  at + Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(attempts - 1, 20))

/** Hosts that services want a certificate of the authority for. */
export function acmeHosts(view: View): string[] {
  const settings = ingressSettings(view)
  if (settings?.enabled !== true || settings.acme === undefined) return []
  const hosts = new Set<string>()
  for (const { tls, matches } of routesOf(view.list('service')).routes)
    if (tls?.from === 'acme' || tls?.from === 'auto')
      for (const { host } of matches) if (!host.includes('*') && host.includes('.')) hosts.add(host)
  return [...hosts].sort()
}

/** Those of them whose certificate is missing or in the last third of its life, and that may be asked for now. */
export function dueHosts(view: View, failures: AcmeFailures, now: Instant): string[] {
  return acmeHosts(view).filter((host) => {
    const failure = failures[host]
    if (failure !== undefined && retryAt(failure) > now) return false
    const secret = view.byName('secret', acmeSecretName(host))
    if (secret === undefined) return true
    const validity = validityOf(Buffer.from(secret.spec.data, 'base64').toString())
    return validity === undefined || now > validity.to - (validity.to - validity.from) / 3
  })
}
