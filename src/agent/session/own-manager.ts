/**
 * Where a manager is dialled. What this host's own is told to others by may be an address that only they reach, as
 * behind a NAT that gives the host a public one: from here it is where it listens.
 */
export function dialledAt(
  manager: string,
  own: { readonly advertiseAddress: string; readonly listenAddress: string },
): string {
  if (manager !== own.advertiseAddress) return manager
  return own.listenAddress.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')
}
