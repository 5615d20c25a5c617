/** A host, and the beginning of a path on it. `host`: lower case; `*.example.com` for one label more; `*` for any. */
export interface IngressMatch {
  readonly host: string
  readonly path: string
}

export interface RateLimit {
  readonly requests: number
  readonly perSeconds: number
}

/**
 * Where a route's certificate is from: a secret, an authority by ACME, the nodes' own folder, or, with `auto`, ACME
 * where the cluster has an authority and none otherwise.
 */
export type TlsSource =
  | { readonly from: 'secret'; readonly name: string }
  | { readonly from: 'acme' }
  | { readonly from: 'folder' }
  | { readonly from: 'auto' }

/** Beginnings of paths that tasks do not see, and what stands in their place. `by` begins with a slash. */
export interface PathRewrite {
  readonly prefixes: readonly string[]
  readonly by: string
}

/** Who may pass with a password. `isHashed`: as crypt(3) knows it (bcrypt, SHA-512, SHA-256, MD5), else the password itself. */
export interface IngressUser {
  readonly name: string
  readonly password: string
  readonly isHashed: boolean
}

export interface HeaderToSet {
  readonly name: string
  readonly value: string
}

/** What is done with requests without TLS where there is a certificate. */
export type WithoutTls = 'redirect' | 'serve' | 'refuse'

/** What a service asks of the ingress: one port of its tasks, and the requests that go there. */
export interface IngressDeclaration {
  readonly matches: readonly IngressMatch[]
  readonly port: number
  readonly tls?: TlsSource
  readonly isSticky: boolean
  /** A path that a task answers with 2xx or 3xx while it is well. */
  readonly healthCheckPath?: string
  /** Of each client address. */
  readonly rateLimit?: RateLimit
  /** What tasks speak: HTTP/1.1, the same in TLS whose certificate nobody checks, or HTTP/2 without TLS as gRPC servers do. */
  readonly protocol: TaskProtocol
  /** Default: redirect. */
  readonly withoutTls?: WithoutTls
  readonly rewrite?: PathRewrite
  /** Networks that clients may come from; all others are refused. */
  readonly allowedFrom?: readonly string[]
  readonly users?: readonly IngressUser[]
  readonly requestHeaders?: readonly HeaderToSet[]
  readonly responseHeaders?: readonly HeaderToSet[]
}

export type TaskProtocol = 'http' | 'https' | 'h2c'

/** What was found, and what could not be understood, in words that name the label. */
export interface Declared {
  readonly declarations: readonly IngressDeclaration[]
  readonly problems: readonly string[]
}

/** What conventions read. */
export interface ServiceFacts {
  readonly labels: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string>>
  /** The only port that the service publishes, or 80. */
  readonly defaultPort: number
}

/** One way to declare routes; undefined: this service does not use it. */
export type Convention = (facts: ServiceFacts) => Declared | undefined
