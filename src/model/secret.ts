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
  readonly status: Record<string, never>
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
  readonly status: Record<string, never>
}
