import { X509Certificate } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep, startWait } from '#lib/wait.ts'
import { theCluster } from '#manager/control/the-cluster.ts'
import { createRequest } from '#security/authority.ts'
import { certificateFacts, isHalfOver, isIssuedBy } from '#security/certificate.ts'
import { signingRootOf } from '#security/root-ca.ts'
import type { Credentials } from './credentials.ts'
import type { ManagerRuntime } from './manager-runtime.ts'

const lookEveryMs = 5_000
/** A member of the store is started anew for new roots only this long after they changed, and one after the other. */
const settleMs = 30_000
const betweenMembersMs = 20_000

/**
 * Keeps this manager's member of the store able to speak to its peers: its certificate is renewed in the second half
 * of its life, or when the root is replaced, by this manager itself. That needs no quorum, so managers that were all
 * off for longer than their certificates live find together again.
 */
export function keepStorePeer(
  { manager, member }: Pick<ManagerRuntime, 'manager' | 'member'>,
  parts: { credentials: Credentials; clock: Clock; logger: Logger },
): AsyncDisposable {
  const { credentials, clock, logger } = parts
  const stop = new AbortController()
  const renew = async () => {
    const { csr, key } = await createRequest()
    const storePeer = { certificate: await manager.issueStorePeer(csr), key }
    await credentials.set({ storePeer })
    await member.setCertificate(storePeer)
    logger.info("the certificate of the store's member was renewed")
  }
  let trust = credentials.keys.trust
  let trustSince = clock.monotonicMs()
  const look = async () => {
    const certificate = credentials.keys.storePeer?.certificate
    if (certificate === undefined || manager.mirror.count('cluster') === 0) return
    const { rootCa } = theCluster(manager.mirror).status
    const root = signingRootOf(rootCa)
    if (
      isHalfOver(certificateFacts(certificate), clock.now()) ||
      !isIssuedBy(new X509Certificate(certificate), root)
    )
      await renew()
    if (credentials.keys.trust !== trust) {
      trust = credentials.keys.trust
      trustSince = clock.monotonicMs()
    }
    // Until the replacement of a root has ended, the new root's signature by the old one is enough for all members.
    if (rootCa.rotation !== undefined || member.trust === trust) return
    const turn = managersOf(manager.mirror).indexOf(credentials.nodeId)
    if (clock.monotonicMs() - trustSince < settleMs + turn * betweenMembersMs) return
    using wait = startWait({ timeoutMs: 5_000, signal: stop.signal, what: 'the store to have a quorum' })
    await manager.store.currentRevision(wait)
    await member.setTrust(trust)
    logger.info("the store's member was started anew, with the new root alone")
  }
  const run = async () => {
    while (!stop.signal.aborted) {
      await look().catch((error: unknown) => {
        if (!stop.signal.aborted)
          logger.warn("the certificate of the store's member was not renewed yet", {
            error: errorText(error),
          })
      })
      await sleep(lookEveryMs, stop.signal).catch(() => undefined)
    }
  }
  const running = run()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

const managersOf = (view: ManagerRuntime['manager']['mirror']): string[] =>
  [...view.list('node')]
    .filter((node) => node.status.manager !== undefined)
    .map((node) => node.meta.id as string)
    .sort()
