// The engine's protocol for network drivers of another process: JSON over a unix socket.
// @see https://github.com/moby/moby/blob/master/libnetwork/docs/remote.md

export interface CreateNetwork {
  readonly NetworkID: string
  readonly Options?: Readonly<Record<string, unknown>> | null
}

export interface CreateEndpoint {
  readonly NetworkID: string
  readonly EndpointID: string
  readonly Interface?: {
    readonly Address?: string
    readonly AddressIPv6?: string
    readonly MacAddress?: string
  } | null
}

export interface EndpointOf {
  readonly NetworkID: string
  readonly EndpointID: string
}

export interface Join extends EndpointOf {
  readonly SandboxKey: string
}

export interface JoinAnswer {
  readonly InterfaceName: { readonly SrcName: string; readonly DstPrefix: string }
  readonly Gateway: string
  /** `RouteType` 1: reached on the link itself. */
  readonly StaticRoutes: readonly { readonly Destination: string; readonly RouteType: 1 }[]
}

/** What a driver does, call by call. What it throws, the engine shows. */
export interface NetworkDriver {
  createNetwork(call: CreateNetwork): Promise<void>
  deleteNetwork(networkId: string): Promise<void>
  /** The hardware address that it chose, if the engine did not. */
  createEndpoint(call: CreateEndpoint): Promise<{ readonly macAddress?: string }>
  deleteEndpoint(call: EndpointOf): Promise<void>
  join(call: Join): Promise<JoinAnswer>
  leave(call: EndpointOf): Promise<void>
}
