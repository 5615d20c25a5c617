import { access, chmod, rm, writeFile } from 'node:fs/promises'
import { exec } from '#lib/exec.ts'
import { MureError } from '#lib/errors.ts'

/** What a lab, and every host with Mure, needs of Debian: the program that shows a package is there, and the package. */
const needed: readonly { readonly program: string; readonly name: string }[] = [
  { program: 'dockerd', name: 'docker.io' },
  { program: 'etcd', name: 'etcd-server' },
  { program: 'etcdctl', name: 'etcd-client' },
  { program: 'docker-registry', name: 'docker-registry' },
  { program: 'haproxy', name: 'haproxy' },
  { program: 'nft', name: 'nftables' },
  { program: 'iptables', name: 'iptables' },
  { program: 'ip', name: 'iproute2' },
  { program: 'conntrack', name: 'conntrack' },
  { program: 'busybox', name: 'busybox-static' },
  { program: 'setpriv', name: 'util-linux' },
  { program: 'sysctl', name: 'procps' },
]

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

async function isThere(program: string): Promise<boolean> {
  for (const folder of folders) {
    const found = await access(`${folder}/${program}`).then(
      () => true,
      () => false,
    )
    if (found) return true
  }
  return false
}

/** Installs the packages that are missing, and starts none of their services: the lab brings its own. */
export async function ensurePackages(say: (text: string) => void): Promise<void> {
  const missing: string[] = []
  for (const { program, name } of needed) if (!(await isThere(program))) missing.push(name)
  if (missing.length === 0) return
  if (!(await isThere('apt-get')))
    throw new MureError(
      'unavailable',
      `these are needed and cannot be installed without apt: ${missing.join(' ')}`,
    )
  say(`installing Debian packages: ${missing.join(' ')}`)
  const restore = await forbidServices()
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    await exec('apt-get', ['-qq', 'update'], { env, timeoutMs: 300_000 })
    await exec('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...missing], {
      env,
      timeoutMs: 900_000,
    })
  } finally {
    await restore()
  }
  say('packages installed')
}

const policyFile = '/usr/sbin/policy-rc.d'

/**
 * Debian starts a service as soon as it is installed; its registry and etcd would take the ports that ours need.
 * policy-rc.d is Debian's own way to say no, and is taken away again. One that is there already is left alone.
 * @see https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
 */
async function forbidServices(): Promise<() => Promise<void>> {
  const present = await access(policyFile).then(
    () => true,
    () => false,
  )
  if (present) return () => Promise.resolve()
  await writeFile(policyFile, '#!/bin/sh\nexit 101\n')
  await chmod(policyFile, 0o755)
  return () => rm(policyFile, { force: true })
}
