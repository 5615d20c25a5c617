import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { execResult } from '#lib/exec.ts'
import { MureError } from '#lib/errors.ts'
import { installPackages } from './packages.ts'

/** A Debian package, and how its presence shows: by a program, since docker-ce's dockerd does as well as Debian's. */
interface Prerequisite {
  readonly name: string
  readonly program: string
}

/** What a lab, and every host with Mure, needs of Debian. */
const prerequisites: readonly Prerequisite[] = [
  { name: 'docker.io', program: 'dockerd' },
  { name: 'etcd-server', program: 'etcd' },
  { name: 'etcd-client', program: 'etcdctl' },
  { name: 'docker-registry', program: 'docker-registry' },
  { name: 'haproxy', program: 'haproxy' },
  { name: 'nginx', program: 'nginx' },
  { name: 'nftables', program: 'nft' },
  { name: 'iptables', program: 'iptables' },
  { name: 'iproute2', program: 'ip' },
  { name: 'conntrack', program: 'conntrack' },
  { name: 'procps', program: 'sysctl' },
  { name: 'wireguard-tools', program: 'wg' },
  { name: 'wireguard-go', program: 'wireguard-go' },
  { name: 'util-linux', program: 'nsenter' },
]

/** What the tests drive Mure with, besides docker's own client. */
export const clients: readonly Prerequisite[] = [
  { name: 'chromium', program: 'chromium' },
  { name: 'docker-compose', program: 'docker-compose' },
  { name: 'golang-cfssl', program: 'cfssl' },
  { name: 'faketime', program: 'faketime' },
  { name: 'openssl', program: 'openssl' },
  { name: 'pebble', program: 'pebble' },
  { name: 'containernetworking-plugins', program: '/usr/lib/cni/bridge' },
  { name: 'tcpdump', program: 'tcpdump' },
]

/** Debian's other busybox has the same program, linked to a C library that an image would have to carry. */
const staticBusybox = 'busybox-static'

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Installs the packages that are missing; silent and quick when none is. */
export async function ensurePackages(
  say: (text: string) => void,
  also: readonly Prerequisite[] = [],
): Promise<void> {
  const wanted = [...prerequisites, ...also]
  const missing = await missingOf(wanted)
  if (missing.length === 0) return
  if (!(await isInstalled('apt-get')))
    throw new MureError('unavailable', `these are missing, and there is no apt-get: ${missing.join(' ')}`)
  requireRoot('installing Debian packages')
  await installPackages(missing, say)
  const still = await missingOf(wanted)
  if (still.length > 0)
    throw new MureError('unavailable', `apt-get ended well, but these are still missing: ${still.join(' ')}`)
}

export function requireRoot(what: string): void {
  if (process.getuid?.() !== 0) throw new MureError('forbidden', `${what} needs root`)
}

async function missingOf(wanted: readonly Prerequisite[]): Promise<string[]> {
  const missing: string[] = []
  for (const { name, program } of wanted) if (!(await isInstalled(program))) missing.push(name)
  if (!(await hasStaticBusybox())) missing.push(staticBusybox)
  return missing
}

async function isInstalled(program: string): Promise<boolean> {
  // What no shell looks for has its whole path.
  for (const folder of program.startsWith('/') ? [''] : folders) {
    const found = await access(`${folder}/${program}`, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return true
  }
  return false
}

async function hasStaticBusybox(): Promise<boolean> {
  if (!(await isInstalled('busybox'))) return false
  const status = await execResult('dpkg-query', ['--show', '--showformat=${Status}', staticBusybox])
  return status.stdout.endsWith(' installed')
}
