/** The parts of the Engine API's answers that Mure reads. Names are the engine's own. */
export interface EngineInfo {
  readonly ID: string
  readonly Name: string
  readonly Architecture: string
  readonly OSType: string
  readonly NCPU: number
  readonly MemTotal: number
  readonly ServerVersion: string
  readonly Labels: readonly string[] | null
  readonly Plugins: { readonly [type: string]: readonly string[] | null }
  readonly GenericResources?: readonly unknown[] | null
}

export interface EngineVersion {
  readonly ApiVersion: string
  readonly MinAPIVersion: string
  readonly Version: string
}

export interface ContainerState {
  readonly Status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'
  readonly Running: boolean
  readonly Pid: number
  readonly ExitCode: number
  readonly Error: string
  readonly OOMKilled: boolean
  readonly StartedAt: string
  readonly FinishedAt: string
  readonly Health?: { readonly Status: 'none' | 'starting' | 'healthy' | 'unhealthy' }
}

export interface ContainerInspect {
  readonly Id: string
  readonly Name: string
  readonly State: ContainerState
  readonly Config: {
    readonly Labels: Readonly<Record<string, string>> | null
    readonly Image: string
    /** Seconds between the stop signal and the kill; absent: the engine's 10. */
    readonly StopTimeout?: number
  }
  readonly HostConfig?: { readonly Dns?: readonly string[] | null }
  readonly NetworkSettings: {
    readonly SandboxKey?: string
    readonly Networks?: Readonly<
      Record<
        string,
        {
          readonly NetworkID: string
          readonly EndpointID: string
          readonly IPAddress: string
          readonly GlobalIPv6Address: string
          /** What was asked for, as a new connection takes it. */
          readonly IPAMConfig?: Readonly<Record<string, unknown>> | null
          readonly Aliases?: readonly string[] | null
        }
      >
    > | null
    readonly Ports: Readonly<
      Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
    > | null
  }
}

export interface ContainerSummary {
  readonly Id: string
  readonly Names: readonly string[]
  readonly State: string
  readonly Labels: Readonly<Record<string, string>>
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> | null } | null
}

export interface EngineEvent {
  readonly Type: string
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
  readonly scope?: string
  readonly time: number
  readonly timeNano: bigint
}

/** How a container ended. */
export interface ExitStatus {
  readonly exitCode: number
  /** Why the engine could not wait for it, or empty. */
  readonly error: string
}

export interface EngineNetwork {
  readonly Id: string
  readonly Name: string
  readonly Driver: string
  readonly Scope: string
  readonly Labels: Readonly<Record<string, string>> | null
  readonly IPAM: {
    readonly Config: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null
  }
  readonly EnableIPv6?: boolean
  readonly Internal?: boolean
  readonly Options?: Readonly<Record<string, string>> | null
  /** Settings for other networks, and no network itself. */
  readonly ConfigOnly?: boolean
  /** Running ones, by id; only where one network was asked for. */
  readonly Containers?: Readonly<
    Record<string, { readonly Name: string; readonly EndpointID: string; readonly IPv4Address?: string }>
  > | null
}

export interface EngineVolume {
  readonly Name: string
  readonly Driver: string
  readonly Mountpoint: string
  readonly Labels: Readonly<Record<string, string>> | null
}
