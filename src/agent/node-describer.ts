import type { Engine } from '#engine/engine.ts'
import { errorText } from '#lib/errors.ts'
import { defined } from '#lib/defined.ts'
import type { IngressNodeState } from '#model/ingress/configuration.ts'
import type { NodeDescription } from '#model/node.ts'
import type { Identity } from '#rpc/transport.ts'
import { tlsInfo } from '#security/certificate.ts'
import { hostRoutes } from './session/host-routes.ts'
import { descriptionOf, hostDescription } from './session/describe.ts'

/** Keeps the description of this node true. A node whose engine is down is still a node, as it was last seen. */
export class NodeDescriber {
  readonly #engine: Engine
  readonly #identity: () => Identity
  readonly #onChange: (description: NodeDescription) => void
  #current: NodeDescription | undefined
  #ingress: IngressNodeState | undefined
  #tunnelKey: string | undefined

  constructor(engine: Engine, identity: () => Identity, onChange: (description: NodeDescription) => void) {
    this.#engine = engine
    this.#identity = identity
    this.#onChange = onChange
  }

  get current(): NodeDescription {
    return this.#current ?? hostDescription(this.#tls())
  }

  /** Asks the engine. */
  async refresh(signal: AbortSignal, timeoutMs = 20_000): Promise<void> {
    try {
      const [info, routes] = await Promise.all([this.#engine.info({ signal, timeoutMs }), hostRoutes()])
      this.#set({ ...descriptionOf(info, this.#tls()), routes })
    } catch (error) {
      if (!signal.aborted) this.engineIsDown(errorText(error))
    }
  }

  engineIsDown(problem: string): void {
    const { current } = this
    this.#set({ ...current, engine: { ...current.engine, problem }, tls: this.#tls() })
  }

  /** The certificate or the roots have changed. */
  identityChanged(): void {
    this.#set({ ...this.current, tls: this.#tls() })
  }

  ingressChanged(state: IngressNodeState | undefined): void {
    this.#ingress = state
    this.#set(this.current)
  }

  /** Undefined: this host cannot encrypt. */
  tunnelKeyChanged(key: string | undefined): void {
    this.#tunnelKey = key
    this.#set(this.current)
  }

  #set(seen: NodeDescription): void {
    const { ingress: _, tunnelKey: __, ...rest } = seen
    const description = defined({ ...rest, ingress: this.#ingress, tunnelKey: this.#tunnelKey })
    if (JSON.stringify(description) === JSON.stringify(this.#current)) return
    this.#current = description
    this.#onChange(description)
  }

  #tls(): NonNullable<NodeDescription['tls']> {
    const { trust, certificate } = this.#identity()
    const info = tlsInfo(trust, certificate)
    return {
      trustRoot: info.trustRoot,
      certificateIssuerSubject: info.issuerSubject,
      certificateIssuerPublicKey: info.issuerPublicKey,
    }
  }
}
