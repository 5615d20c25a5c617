/** etcd's answers as the client gives them: 64-bit numbers are text, since ids do not fit a JavaScript number. */
export interface ResponseHeader {
  readonly cluster_id: string
  readonly member_id: string
  readonly revision: string
}

export interface KeyValue {
  readonly key: Buffer
  readonly create_revision: string
  readonly mod_revision: string
  readonly value: Buffer
}

export interface RangeResponse {
  readonly header: ResponseHeader
  readonly kvs: readonly KeyValue[]
  readonly more: boolean
  readonly count: string
}

export interface WatchResponse {
  readonly header: ResponseHeader
  readonly created: boolean
  readonly canceled: boolean
  readonly compact_revision: string
  readonly cancel_reason: string
  readonly fragment: boolean
  readonly events: readonly { readonly type: number; readonly kv: KeyValue }[]
}

export interface Member {
  /** Decimal. */
  readonly ID: string
  readonly name: string
  readonly peerURLs: readonly string[]
  readonly isLearner: boolean
}

export interface StatusResponse {
  readonly header: ResponseHeader
  readonly version: string
  readonly dbSize: string
  readonly dbSizeInUse: string
  readonly leader: string
  readonly raftIndex: string
  readonly raftAppliedIndex: string
  readonly errors: readonly string[]
  readonly isLearner: boolean
}

export interface Compare {
  readonly result: 0
  readonly target: 1 | 2
  readonly key: Buffer
  readonly create_revision?: number
  readonly mod_revision?: number
}

export type RequestOp =
  | { readonly request_put: { readonly key: Buffer; readonly value: Buffer; readonly lease?: string } }
  | { readonly request_delete_range: { readonly key: Buffer } }
  | { readonly request_range: { readonly key: Buffer } }
