const table = 'mure_names'

/**
 * Rules for a sandbox: what its container asks the host's name servers is asked of ours, which knows the cluster's
 * names and asks the host's for all others. A container that was connected while it ran has only those.
 */
export function renderNameRedirect(resolvers: readonly string[], nameserver: string): string[] {
  const lines = [`add table ip ${table}`, `delete table ip ${table}`]
  if (resolvers.length === 0) return lines
  const to = `ip daddr { ${[...new Set(resolvers)].sort().join(', ')} }`
  return [
    ...lines,
    `add table ip ${table}`,
    `add chain ip ${table} output { type nat hook output priority -105; }`,
    ...['udp', 'tcp'].map(
      (protocol) => `add rule ip ${table} output ${to} ${protocol} dport 53 dnat to ${nameserver}`,
    ),
    // The source was chosen for another way out.
    `add chain ip ${table} postrouting { type nat hook postrouting priority 95; }`,
    `add rule ip ${table} postrouting ip daddr ${nameserver} masquerade`,
  ]
}
