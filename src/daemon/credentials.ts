import type { Clock } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import type { NodeAvailability, NodeRole } from '#model/node.ts'
import { connectRpc, fetchRootCertificate } from '#rpc/client.ts'
import type { CertificateAnswer, CertificateRequest } from '#rpc/messages.ts'
import type { Identity } from '#rpc/transport.ts'
import { certificateFacts } from '#security/certificate.ts'
import { parseJoinToken } from '#security/join-token.ts'
import type { KeyFile, NodeKeys } from '#security/key-file.ts'
import { createRequestApart } from '#security/request-apart.ts'

/** What a node was given when it joined. */
export interface Admission {
  readonly nodeId: NodeId
  readonly clusterId: string
  readonly role: NodeRole
  readonly keys: NodeKeys
  /** The manager that answered. */
  readonly address: string
  /** Where managers are reached by other hosts. */
  readonly managers: readonly string[]
}

const attemptTimeoutMs = 5_000

/**
 * Asks each address in turn for a certificate. The cluster's root is checked against the token before the token's
 * secret is sent to anybody.
 */
export async function requestAdmission(
  request: {
    readonly addresses: readonly string[]
    readonly token: string
    readonly availability: NodeAvailability
  },
  wait: Wait,
): Promise<Admission> {
  const { digest } = parseJoinToken(request.token)
  let failure: unknown
  for (const address of request.addresses) {
    try {
      using attempt = startWait({
        timeoutMs: attemptTimeoutMs,
        signal: wait.signal,
        what: `${address} to answer`,
      })
      const trust = await fetchRootCertificate(address, digest, attempt)
      const { csr, key } = await createRequestApart()
      await using client = await connectRpc(address, { trust }, attempt)
      const answer = await client.call<CertificateRequest, CertificateAnswer>(
        'POST',
        '/v1/ca/certificate',
        { csr, token: request.token, availability: request.availability },
        attempt,
      )
      return {
        nodeId: answer.nodeId,
        clusterId: certificateFacts(answer.certificate).clusterId,
        role: answer.role,
        keys: { key, certificate: answer.certificate, trust: answer.trust },
        address,
        managers: answer.managers ?? [],
      }
    } catch (error) {
      failure = error
    }
  }
  throw failure instanceof Error ? failure : new MureError('unavailable', 'no manager answered')
}

/** This node's keys in memory and on disk, and how they are renewed. */
export class Credentials {
  readonly #file: KeyFile
  readonly #clock: Clock
  readonly #logger: Logger
  readonly nodeId: NodeId
  #keys: NodeKeys

  constructor(parts: { file: KeyFile; keys: NodeKeys; nodeId: NodeId; clock: Clock; logger: Logger }) {
    this.#file = parts.file
    this.#keys = parts.keys
    this.nodeId = parts.nodeId
    this.#clock = parts.clock
    this.#logger = parts.logger
  }

  get keys(): NodeKeys {
    return this.#keys
  }

  get identity(): Identity {
    const { certificate, key, trust } = this.#keys
    return {
      nodeId: this.nodeId,
      role: certificateFacts(certificate).role ?? 'worker',
      certificate,
      key,
      trust,
    }
  }

  /** A worker's certificate, and nothing left of a manager's keys: so ends a demotion, also one that broke off. */
  get isWorkers(): boolean {
    return this.identity.role === 'worker' && this.#keys.dataKeys === undefined
  }

  async set(change: Partial<NodeKeys>): Promise<void> {
    this.#keys = { ...this.#keys, ...change }
    await this.#file.write(this.#keys)
  }

  /** What a manager is let in with, sealed at once where the cluster locks its managers: never plain on disk before. */
  async takeManagerKeys(
    granted: Required<Pick<NodeKeys, 'storePeer' | 'dataKeys'>>,
    unlockKey: Buffer | undefined,
  ): Promise<void> {
    this.#keys = { ...this.#keys, ...granted }
    await this.#file.lock(this.#keys, unlockKey)
  }

  /**
   * Forgets what only a manager may know, and takes the lock away, which is for managers alone. In one step: unsealed
   * first, the store's keys would lie on disk for anybody who finds it.
   */
  async forgetManagerKeys(): Promise<void> {
    const { certificate, key, trust } = this.#keys
    this.#keys = { certificate, key, trust }
    await this.#file.lock(this.#keys, undefined)
  }

  async lock(unlockKey: Buffer | undefined): Promise<void> {
    await this.#file.lock(this.#keys, unlockKey)
  }

  /** A new certificate, for a new key, in the role that the cluster wants now. Any of the managers will do. */
  async renew(addresses: readonly string[], wait: Wait): Promise<NodeRole> {
    let failure: unknown = new MureError('unavailable', 'no manager is known')
    for (const address of addresses) {
      try {
        const { csr, key } = await createRequestApart()
        using attempt = startWait({
          timeoutMs: attemptTimeoutMs,
          signal: wait.signal,
          what: `${address} to answer`,
        })
        await using client = await connectRpc(
          address,
          { identity: this.#keys, trust: this.#keys.trust, clock: this.#clock },
          attempt,
        )
        const answer = await client.call<CertificateRequest, CertificateAnswer>(
          'POST',
          '/v1/ca/certificate',
          { csr },
          attempt,
        )
        await this.set({ certificate: answer.certificate, key, trust: answer.trust })
        this.#logger.info('certificate renewed', { role: answer.role })
        return answer.role
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }
}
