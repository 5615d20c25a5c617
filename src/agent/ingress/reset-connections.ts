import { execResult } from '#lib/exec.ts'

const perCall = 100

/** Ends this host's connections to these addresses, as if the other side had reset them. */
export async function resetConnections(addresses: readonly string[]): Promise<void> {
  for (let at = 0; at < addresses.length; at += perCall) {
    const filter = addresses
      .slice(at, at + perCall)
      .flatMap((address, index) => [...(index === 0 ? [] : ['or']), 'dst', address])
    // A kernel without it (CONFIG_INET_DIAG_DESTROY) leaves them to their own timeouts.
    await execResult('ss', ['--kill', '--no-header', '--tcp', ...filter])
  }
}
