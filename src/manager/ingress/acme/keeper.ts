import { request } from 'node:http'
import type { Clock } from '#lib/clock.ts'
import { errorText, isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { AcmeFailures } from '#model/ingress/acme.ts'
import type { AcmeChallenge } from '#model/ingress/configuration.ts'
import { ingressDefaults } from '#model/ingress/settings.ts'
import { createHostRequest } from '#security/host-request.ts'
import type { Leadership, Store } from '#store/contract.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { createConfig, createSecret, removeConfig, updateSecret } from '../../control/secrets.ts'
import { ObjectWriter } from '../../control/objects.ts'
import { theCluster } from '../../control/the-cluster.ts'
import { acmeChallengeLabel } from '../challenges.ts'
import { acmeSecretName } from '../certificates.ts'
import { ingressSettings, runsIngress } from '../derive.ts'
import { AccountKey } from './account-key.ts'
import { AcmeClient } from './client.ts'
import { acmeHosts, dueHosts } from './wanted.ts'

export interface AcmeParts {
  readonly store: Store
  readonly mirror: Mirror
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly leadership: Leadership
}

const lookEveryMs = 2_000
const orderTimeoutMs = 120_000
const shownTimeoutMs = 15_000
const accountSecret = 'mure-acme-account'

/**
 * The leader's care for certificates by ACME: each host that a service wants one for has one, and a new one in good
 * time. Account key, certificates and what went wrong are in the store, so that a new leader goes on from there.
 */
export async function keepAcmeCertificates(parts: AcmeParts): Promise<void> {
  const { signal } = parts.leadership
  while (!signal.aborted) {
    try {
      using wait = startWait({ timeoutMs: orderTimeoutMs, signal, what: 'certificates by ACME' })
      await tend(parts, wait)
    } catch (error) {
      if (signal.aborted) return
      parts.logger.warn('certificates could not be tended', { error })
    }
    await sleep(lookEveryMs, signal).catch(() => undefined)
  }
}

async function tend(parts: AcmeParts, wait: Wait): Promise<void> {
  const { mirror, clock } = parts
  const failures = theCluster(mirror).status.acmeFailures ?? {}
  const wanted = new Set(acmeHosts(mirror))
  for (const host of Object.keys(failures)) if (!wanted.has(host)) await record(parts, host, undefined, wait)
  // One at a time: authorities count orders, and the next look is soon.
  const [host] = dueHosts(mirror, failures, clock.now())
  if (host === undefined) return
  try {
    await obtain(parts, host, wait)
    if (failures[host] !== undefined) await record(parts, host, undefined, wait)
    parts.logger.info('a certificate has come', { host })
  } catch (error) {
    if (parts.leadership.signal.aborted) return
    parts.logger.warn('a certificate has not come', { host, error })
    using after = startWait({ timeoutMs: 10_000, signal: parts.leadership.signal, what: 'the store' })
    await record(parts, host, errorText(error), after)
  }
}

async function obtain(parts: AcmeParts, host: string, wait: Wait): Promise<void> {
  const settings = ingressSettings(parts.mirror)?.acme
  if (settings === undefined) return
  const writer = new ObjectWriter(parts)
  const client = await AcmeClient.open(settings, await accountKey(parts, writer, wait), wait)
  const request = await createHostRequest(host)
  const shown: string[] = []
  try {
    const show = async (challenge: AcmeChallenge) => {
      shown.push(await publish(writer, challenge, wait))
      await untilShown(parts, host, challenge, wait)
    }
    const chain = await client.certificate(host, request, show, wait)
    await keep(writer, acmeSecretName(host), `${chain.trim()}\n${request.key}`, wait)
  } finally {
    for (const name of shown) await withdraw(parts, writer, name)
  }
}

async function accountKey(parts: AcmeParts, writer: ObjectWriter, wait: Wait): Promise<AccountKey> {
  const known = parts.mirror.byName('secret', accountSecret)
  if (known !== undefined) return AccountKey.read(Buffer.from(known.spec.data, 'base64').toString())
  const key = AccountKey.generate()
  await keep(writer, accountSecret, key.pem, wait)
  return key
}

/** A new secret, or new data of the one there is. */
async function keep(writer: ObjectWriter, name: string, text: string, wait: Wait): Promise<void> {
  const spec = { name, labels: {}, data: Buffer.from(text).toString('base64') }
  const present = writer.mirror.byName('secret', name)
  if (present === undefined) await createSecret(writer, spec, { wait })
  else await updateSecret(writer, present.meta.id, present.meta.version, spec, { wait })
}

async function publish(writer: ObjectWriter, { token, answer }: AcmeChallenge, wait: Wait): Promise<string> {
  const name = `mure-acme-challenge-${token.replace(/[^A-Za-z0-9]/g, '').slice(0, 32)}`
  const data = Buffer.from(answer).toString('base64')
  try {
    await createConfig(writer, { name, labels: { [acmeChallengeLabel]: token }, data }, { wait })
  } catch (error) {
    if (!isMureError(error, 'already-exists')) throw error
  }
  return name
}

async function withdraw(parts: AcmeParts, writer: ObjectWriter, name: string): Promise<void> {
  using wait = startWait({ timeoutMs: 10_000, signal: parts.leadership.signal, what: 'the store' })
  const config = parts.mirror.byName('config', name)
  try {
    if (config !== undefined) await removeConfig(writer, config.meta.id, { wait })
  } catch (error) {
    parts.logger.warn('an answer to an authority is still there', { name, error })
  }
}

/** Every node of the ingress answers, or has had its time: the authority may ask any of them, and only once. */
async function untilShown(
  parts: AcmeParts,
  host: string,
  challenge: AcmeChallenge,
  wait: Wait,
): Promise<void> {
  const settings = ingressSettings(parts.mirror)
  const port = settings?.httpPort ?? ingressDefaults.httpPort
  const nodes = [...parts.mirror.list('node')].filter(
    (node) => node.status.state === 'ready' && runsIngress(node, settings),
  )
  using own = startWait({ timeoutMs: shownTimeoutMs, signal: wait.signal, what: 'the ingress to answer' })
  for (const { status } of nodes) {
    while (!own.signal.aborted) {
      if ((await shownBy(status.address, port, host, challenge, own.signal)) === challenge.answer) break
      await sleep(100, own.signal).catch(() => undefined)
    }
  }
}

function shownBy(
  address: string,
  port: number,
  host: string,
  { token }: AcmeChallenge,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const path = `/.well-known/acme-challenge/${token}`
  const call = request({ host: address, port, path, signal, timeout: 2_000, headers: { host } }, (answer) => {
    let text = ''
    answer.setEncoding('utf8')
    answer.on('data', (chunk: string) => (text = `${text}${chunk}`.slice(0, 1_000)))
    answer.once('close', () => {
      resolve(text)
    })
  })
  call.once('timeout', () => call.destroy())
  call.once('error', () => {
    resolve(undefined)
  })
  call.end()
  return promise
}

/** What went wrong with a host, or nothing any more. */
async function record(
  parts: AcmeParts,
  host: string,
  message: string | undefined,
  wait: Wait,
): Promise<void> {
  const now = parts.clock.now()
  const { id, version } = theCluster(parts.mirror).meta
  await new ObjectWriter(parts).change('cluster', id, version, { wait }, (cluster) => {
    const { [host]: before, ...others } = cluster.status.acmeFailures ?? {}
    const failure = { message: message ?? '', at: now, attempts: (before?.attempts ?? 0) + 1 }
    const acmeFailures: AcmeFailures = message === undefined ? others : { ...others, [host]: failure }
    return {
      ...cluster,
      meta: { ...cluster.meta, updatedAt: now },
      status: { ...cluster.status, acmeFailures },
    }
  })
}
