import type { IngressRoute } from './routes.ts'

/** A certificate with its chain and its key, PEM. `id`: of letters that a file's name may have. */
export interface IngressCertificate {
  readonly id: string
  readonly pem: string
}

/** An answer to an authority that asks whether a host is ours. */
export interface AcmeChallenge {
  readonly token: string
  readonly answer: string
}

/** `isSecure`: there is a certificate for it, and requests without TLS are sent there. */
export interface RouteInForce extends IngressRoute {
  readonly isSecure: boolean
}

/** Everything that HAProxy on one node is made from, except the tasks' addresses: those come with the data plane. */
export interface IngressConfiguration {
  readonly httpPort: number
  readonly httpsPort: number
  readonly statisticsPort: number
  readonly login: { readonly user: string; readonly password: string }
  readonly cookieKey: string
  readonly accessLog: boolean
  readonly certificateFolder?: string
  /** Connections from there begin with a header of the PROXY protocol. */
  readonly proxiesFrom?: readonly string[]
  readonly routes: readonly RouteInForce[]
  readonly certificates: readonly IngressCertificate[]
  readonly challenges: readonly AcmeChallenge[]
}

/** What a node says of its HAProxy. */
export interface IngressNodeState {
  readonly state: 'running' | 'failed'
  /** What is not as it should be, in words; the last good configuration is in force. */
  readonly problems?: readonly string[]
}
