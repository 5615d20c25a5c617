import type { ConfigId, SecretId } from './id.ts'
import type { Labels, Meta } from './meta.ts'
import type { Driver } from './service.ts'

/** `data` is base64 and leaves a manager only for nodes that run a task using it. */
export interface SecretSpec {
  readonly name: string
  readonly labels: Labels
  readonly data: string
  readonly driver?: Driver
  readonly templating?: Driver
}

export interface Secret {
  readonly kind: 'secret'
  readonly meta: Meta<SecretId>
  readonly spec: SecretSpec
  readonly status: FileStatus
}

/** Each time a secret or config is given new data it has a new version. What is in `spec` is the newest. */
export interface FileStatus {
  /** Of what is in `spec`; absent = 0, the first. */
  readonly version?: number
  /** Versions that a service or a task still goes by. */
  readonly earlier?: readonly FileVersion[]
}

export interface FileVersion {
  readonly version: number
  readonly data: string
  readonly templating?: Driver
}

export interface ConfigSpec {
  readonly name: string
  readonly labels: Labels
  readonly data: string
  readonly templating?: Driver
}

export interface Config {
  readonly kind: 'config'
  readonly meta: Meta<ConfigId>
  readonly spec: ConfigSpec
  readonly status: FileStatus
}
