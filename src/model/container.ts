import type { ConfigId, SecretId } from './id.ts'
import type { Labels } from './meta.ts'
import type { ResourceRequirements } from './resources.ts'

export interface Mount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'npipe' | 'cluster' | 'image'
  readonly source?: string
  readonly target: string
  readonly readOnly?: boolean
  readonly consistency?: string
  readonly bind?: {
    readonly propagation?: string
    readonly nonRecursive?: boolean
    readonly createMountpoint?: boolean
    readonly readOnlyNonRecursive?: boolean
    readonly readOnlyForceRecursive?: boolean
  }
  readonly volume?: {
    readonly noCopy?: boolean
    readonly labels?: Labels
    readonly subpath?: string
    readonly driver?: { readonly name?: string; readonly options?: Readonly<Record<string, string>> }
  }
  readonly tmpfs?: {
    readonly sizeBytes?: number
    readonly mode?: number
    readonly options?: readonly string[][]
  }
}

/** All durations in milliseconds (fractions allowed: Docker's nanoseconds must survive). */
export interface HealthCheck {
  /** `['NONE']`, `['CMD', …]` or `['CMD-SHELL', '…']`; empty = the image's own. */
  readonly test?: readonly string[]
  readonly intervalMs?: number
  readonly timeoutMs?: number
  readonly startPeriodMs?: number
  readonly startIntervalMs?: number
  readonly retries?: number
}

/** A file in the container; `mode` is the permission bits as a number. */
export interface FileTarget {
  readonly name: string
  readonly uid: string
  readonly gid: string
  readonly mode: number
}

export interface SecretReference {
  readonly secretId: SecretId
  readonly secretName: string
  readonly file?: FileTarget
  /** Of the secret; absent = 0. Set when the spec is stored, see `model/file-version.ts`. */
  readonly version?: number
}

export interface ConfigReference {
  readonly configId: ConfigId
  readonly configName: string
  readonly file?: FileTarget
  readonly version?: number
  /** Used by a credential spec rather than a file. */
  readonly runtime?: boolean
}

export interface Privileges {
  readonly credentialSpec?: { readonly config?: string; readonly file?: string; readonly registry?: string }
  readonly seLinuxContext?: {
    readonly disable?: boolean
    readonly user?: string
    readonly role?: string
    readonly type?: string
    readonly level?: string
  }
  readonly seccomp?: { readonly mode?: string; readonly profile?: string }
  readonly appArmor?: { readonly mode?: string }
  readonly noNewPrivileges?: boolean
}

export interface Ulimit {
  readonly name: string
  readonly soft: number
  readonly hard: number
}

/** One container of a task. Absent = the image's or engine's own default. */
export interface ContainerSpec {
  /** '' through the Docker API, where a task has one container. */
  readonly name: string
  readonly image: string
  /** Docker's base64 credentials for pulling the image. Stored sealed, never given back by an API. */
  readonly registryAuth?: string
  readonly labels?: Labels
  /** Replaces the image's ENTRYPOINT (Docker's `Command`). */
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly hostname?: string
  /** `NAME=value`. */
  readonly env?: readonly string[]
  readonly workingDirectory?: string
  readonly user?: string
  readonly groups?: readonly string[]
  readonly privileges?: Privileges
  readonly init?: boolean
  readonly stopSignal?: string
  readonly stopGracePeriodMs?: number
  readonly tty?: boolean
  readonly openStdin?: boolean
  readonly readOnly?: boolean
  readonly mounts?: readonly Mount[]
  readonly healthCheck?: HealthCheck
  /** `IP name…` lines for /etc/hosts, as Docker stores them. */
  readonly hosts?: readonly string[]
  readonly dns?: {
    readonly nameservers?: readonly string[]
    readonly search?: readonly string[]
    readonly options?: readonly string[]
  }
  readonly secrets?: readonly SecretReference[]
  readonly configs?: readonly ConfigReference[]
  readonly isolation?: string
  readonly sysctls?: Readonly<Record<string, string>>
  readonly capabilityAdd?: readonly string[]
  readonly capabilityDrop?: readonly string[]
  readonly ulimits?: readonly Ulimit[]
  readonly oomScoreAdj?: number
  /** Only where a pod gives containers their own; a Docker task's are on the template. */
  readonly resources?: ResourceRequirements
}
