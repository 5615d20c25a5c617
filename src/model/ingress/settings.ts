/** The cluster's wish for its HTTP ingress. Absent fields mean `ingressDefaults`. */
export interface IngressSettings {
  readonly enabled: boolean
  readonly httpPort?: number
  readonly httpsPort?: number
  readonly statisticsPort?: number
  /** Constraints as of a placement; the nodes that meet all of them run HAProxy. */
  readonly nodes?: readonly string[]
  /** Who may see the statistics page. Made when the ingress is first enabled. */
  readonly login: { readonly user: string; readonly password: string }
  /** What sticky cookies are made with: the same on every node, so that any of them knows a visitor's task. */
  readonly cookieKey: string
  /** A folder of PEM files on each of those nodes. */
  readonly certificateFolder?: string
  /** Networks of load balancers in front, which begin their connections with a header of the PROXY protocol. */
  readonly proxiesFrom?: readonly string[]
  /** Default true. */
  readonly accessLog?: boolean
  /** Certificates of services that ask for `acme` come from here. */
  readonly acme?: AcmeSettings
}

export interface AcmeSettings {
  /** The URL of the authority's directory. */
  readonly directory: string
  /** Where it writes about certificates that run out. */
  readonly email?: string
  /** PEM; for an authority of one's own. */
  readonly trust?: string
}

export const ingressDefaults = {
  httpPort: 80,
  httpsPort: 443,
  statisticsPort: 1936,
  nodes: ['node.role==manager'],
  user: 'admin',
} as const

export const letsEncryptDirectory = 'https://acme-v02.api.letsencrypt.org/directory'
