/**
 * What travels between a manager and the page. The page imports these types too, so nothing here needs Node.
 * A row is what the page shows of an object and no more: absent members are empty, zero or not so.
 */
export interface NodeRow {
  readonly kind: 'node'
  readonly id: string
  readonly name: string
  readonly role: 'manager' | 'worker'
  /** The role that is wanted, where it is not yet what the node is. */
  readonly wantedRole?: 'manager' | 'worker'
  readonly state: string
  readonly message?: string
  readonly availability: 'active' | 'pause' | 'drain'
  readonly leader?: boolean
  readonly reachability?: string
  readonly address: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly engine: string
  readonly platform: string
  readonly labels?: Readonly<Record<string, string>>
}

export interface ServiceRow {
  readonly kind: 'service'
  readonly id: string
  readonly name: string
  readonly stack?: string
  readonly image: string
  readonly mode: string
  /** Of replicated services: how many are wanted. */
  readonly replicas?: number
  readonly ports?: readonly PortRow[]
  readonly networks?: readonly string[]
  readonly update?: { readonly state: string; readonly message: string }
  /** There is a spec to roll back to. */
  readonly hasPrevious?: boolean
  readonly updatedAt: number
  readonly createdAt: number
}

export interface PortRow {
  readonly published: number
  readonly target: number
  readonly protocol: string
  readonly mode: string
}

export interface TaskRow {
  readonly kind: 'task'
  readonly id: string
  readonly service: string
  readonly serviceName: string
  readonly slot: number
  readonly node: string
  readonly state: string
  readonly desired: string
  readonly since: number
  readonly message: string
  /** Why it is not where it should be. */
  readonly error?: string
  readonly container?: string
  readonly exitCode?: number
  readonly health?: string
  readonly image: string
  readonly cpuLimit?: number
  readonly memoryLimit?: number
}

export interface NetworkRow {
  readonly kind: 'network'
  readonly id: string
  readonly name: string
  readonly driver: string
  readonly subnets: readonly string[]
  readonly ingress?: boolean
  readonly attachable?: boolean
  readonly internal?: boolean
  readonly stack?: string
  readonly error?: string
}

/** A secret or a config: its name, never its data. */
export interface NamedRow {
  readonly kind: 'secret' | 'config'
  readonly id: string
  readonly name: string
  readonly stack?: string
  readonly createdAt: number
}

export type Row = NodeRow | ServiceRow | TaskRow | NetworkRow | NamedRow
export type RowKind = Row['kind']

/** Something that people would want to be told of. */
export interface EventRow {
  readonly at: number
  readonly kind: RowKind
  readonly id: string
  readonly name: string
  /** `create`, `update`, `remove`, or the state that a task came to. */
  readonly action: string
  readonly text: string
  readonly service?: string
  readonly node?: string
}

/** Everything, as of a revision of the store. */
export interface Snapshot {
  readonly type: 'snapshot'
  readonly revision: number
  readonly manager: string
  readonly rows: readonly Row[]
  readonly events: readonly EventRow[]
}

/** What is different since the message before. */
export interface Changes {
  readonly type: 'changes'
  readonly revision: number
  readonly put: readonly Row[]
  readonly remove: readonly { readonly kind: RowKind; readonly id: string }[]
  readonly events: readonly EventRow[]
}

/** Whether this manager is in contact with a majority; while it is not, what is shown may be old. */
export interface Contact {
  readonly type: 'contact'
  readonly current: boolean
}

export type Message = Snapshot | Changes | Contact

export type Role = 'read-only' | 'admin'

export interface SessionAnswer {
  readonly role: Role
  /** To be sent back as the header `X-Mure-Csrf` with every call that changes something. */
  readonly csrf: string
  readonly expiresAt: number
  readonly manager: string
}

/** One line of a log, as JSON lines. */
export interface LogRow {
  readonly at: string
  readonly stream: 'stdout' | 'stderr'
  readonly task: string
  readonly node: string
  readonly text: string
}

/** Cores, and bytes of memory. */
export type UsagePair = readonly [cpu: number, memoryBytes: number]

/** What everything uses now, by id. */
export interface UsageNow {
  readonly nodes: Readonly<Record<string, UsagePair>>
  readonly tasks: Readonly<Record<string, UsagePair>>
}

/** The last hour of one node or task, oldest first. */
export interface UsageHistoryAnswer {
  readonly points: readonly (readonly [at: number, cpu: number, memoryBytes: number])[]
}

/** What each node says to a task, or to one more of a service. */
export interface ExplainAnswer {
  readonly notes: readonly string[]
  readonly nodes: readonly {
    readonly name: string
    readonly refusedBy?: string
    readonly rank?: number
    readonly why: string
  }[]
}

export interface IngressAnswer {
  readonly enabled: boolean
  readonly httpPort: number
  readonly httpsPort: number
  readonly nodes: readonly {
    readonly id: string
    readonly hostname: string
    readonly state: string
    readonly problems: readonly string[]
  }[]
  readonly routes: readonly {
    readonly host: string
    readonly path: string
    readonly serviceId: string
    readonly serviceName: string
    readonly port: number
    readonly isSecure: boolean
    readonly targets: number
  }[]
  readonly problems: readonly {
    readonly serviceId: string
    readonly serviceName: string
    readonly message: string
  }[]
}

export interface ComposeProblem {
  readonly message: string
  /** From 1. */
  readonly line?: number
}

/** What would change, as decided on a copy of the cluster; or why the file cannot be deployed. */
export interface StackPreview {
  readonly problems: readonly ComposeProblem[]
  readonly objects: readonly { readonly kind: string; readonly name: string; readonly what: string }[]
  readonly tasks: readonly {
    readonly task: string
    readonly what: string
    readonly from: string
    readonly to: string
    readonly why: string
  }[]
  readonly staying: number
}
