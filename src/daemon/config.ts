/** How one daemon is set up. Nothing is fixed: several may share a network namespace. */
export interface DaemonConfig {
  /** `unix:///path` or `tcp://address:port`; at least one. */
  readonly hosts: readonly string[]
  /** The local Docker Engine: `unix:///path`. */
  readonly engine: string
  /** Survives a reboot: keys, etcd's data, task states. */
  readonly dataDir: string
  /** Does not: sockets. */
  readonly runDir: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly tls?: {
    readonly certificate: string
    readonly key: string
    /** Clients must prove themselves by a certificate of this authority. */
    readonly ca: string | undefined
  }
  /** `tcp://address:port` of `/metrics` for Prometheus; absent: nowhere. */
  readonly metrics?: string
  /** Where browsers find the dashboard; absent: nowhere. */
  readonly dashboard?: {
    /** `tcp://address:port`. */
    readonly host: string
    readonly tls?: { readonly certificate: string; readonly key: string; readonly ca: undefined }
  }
}
