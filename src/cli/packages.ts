import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, rename, rm, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { readFileIfThere } from '#lib/atomic-file.ts'
import { MureError, systemCode } from '#lib/errors.ts'

/** apt's lock is waited for: a fresh machine is often still busy with its first updates. */
const lockTimeoutSeconds = 120

/**
 * Installs Debian packages and says how far it has come. None of their services is started: the lab and mured bring
 * up what they need themselves, and Debian's registry or etcd would take the ports.
 */
export async function installPackages(names: readonly string[], say: (text: string) => void): Promise<void> {
  await using _forbidden = await forbidServices()
  say('apt-get update')
  await aptGet(['update'], () => undefined)
  say(`apt-get install ${names.join(' ')}`)
  // Steps of a fifth: a terminal and a log can both bear that.
  let told = 0
  await aptGet(['install', '--yes', '--no-install-recommends', ...names], (percent, what) => {
    if (percent < told + 20) return
    told = percent - (percent % 20)
    say(`  ${String(told)}% ${what}`)
  })
}

async function aptGet(
  args: readonly string[],
  onProgress: (percent: number, what: string) => void,
): Promise<void> {
  const options = ['-qq', '-o', 'APT::Status-Fd=3', '-o', `DPkg::Lock::Timeout=${String(lockTimeoutSeconds)}`]
  const child = spawn('apt-get', [...options, ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  const errors: string[] = []
  createInterface({ input: child.stderr as Readable }).on('line', (line) => errors.push(line))
  createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
    // "pmstatus:package:percent:text", after "dlstatus:…" of the downloads
    const [kind, , percent, what] = line.split(':')
    if (kind === 'pmstatus' && percent !== undefined) onProgress(Number(percent), what ?? '')
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code === 0) return
  const said = errors.filter((line) => line.startsWith('E:')).join(' ')
  throw new MureError(
    'unavailable',
    `apt-get ${args.join(' ')} failed: ${said === '' ? errors.join(' ') : said}`,
  )
}

const policy = '/usr/sbin/policy-rc.d'
const policyOfTheMachine = `${policy}.before-mure`
const ourPolicy =
  '#!/bin/sh\n# Of "mure", while it installs packages: their services are not to be started.\nexit 101\n'

/**
 * policy-rc.d is Debian's own way to install a package without starting its services. The machine's own policy comes
 * back afterwards, and also the next time, should this process be killed in between.
 * @see https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
 */
async function forbidServices(): Promise<AsyncDisposable> {
  await putBackPolicy()
  await rename(policy, policyOfTheMachine).catch(unlessMissing)
  await writeFile(policy, ourPolicy)
  await chmod(policy, 0o755)
  return { [Symbol.asyncDispose]: putBackPolicy }
}

async function putBackPolicy(): Promise<void> {
  if ((await readFileIfThere(policy)) === ourPolicy) await rm(policy)
  await rename(policyOfTheMachine, policy).catch(unlessMissing)
}

function unlessMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error
}
