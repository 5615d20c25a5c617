import { readFile } from 'node:fs/promises'
import { parseAddress } from '#model/address.ts'

/** The second is where systemd's own resolver, a loopback address in the first, says whom it asks. */
const files = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']

/** What engines give to containers of a host that names no resolver which they could reach. */
const enginesFallback = ['8.8.8.8', '8.8.4.4']

/** The name servers of a `resolv.conf`. */
export const nameserversIn = (text: string): string[] =>
  [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)]
    .flatMap((match) => match[1] ?? [])
    .filter((address) => parseAddress(address.split('%')[0] ?? '') !== undefined)

/** The host's own name servers, as they are now. */
export async function hostResolvers(): Promise<string[]> {
  const text = await readFile(files[0] ?? '', 'utf8').catch(() => '')
  return nameserversIn(text)
}

/** Those that the engine gives to a container that names none: they are asked from within its sandbox. */
export async function containersResolvers(): Promise<string[]> {
  for (const file of files) {
    const servers = nameserversIn(await readFile(file, 'utf8').catch(() => ''))
    const reachable = servers.filter((address) => !address.startsWith('127.') && !address.includes(':'))
    if (reachable.length > 0) return reachable
  }
  return enginesFallback
}
