/** An end of one of our networks that the engine wants for a container. */
export interface CableEnd {
  readonly endpointId: string
  readonly networkId: string
  /** Without prefix length. */
  readonly address: string
  /** '' where the network has no IPv6. */
  readonly address6: string
  /** The hardware address that a person asked for, or ''. */
  readonly mac: string
  /** The link's name until the engine moves it into the sandbox. */
  readonly link: string
}

/**
 * How containers of this host are put on a network: the overlay is one way, the plugins of CNI are another. Addresses
 * come from the managers and names are answered alike, whichever it is.
 */
export interface Wiring {
  /** Makes the link of that name in the host's own namespace, and gives its hardware address. */
  connect(end: CableEnd): Promise<{ readonly mac: string }>
  /** What is gone already is no matter. */
  disconnect(endpointId: string): Promise<void>
  /** Whether this host is reached through the network itself, on the link: its name server then is, too. */
  readonly reachesHost: boolean
  /** The way out by this end; '': the engine's own bridge. */
  gatewayOf(endpointId: string): Promise<string>
}
