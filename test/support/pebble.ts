import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec } from '#lib/exec.ts'
import { sleep } from '#lib/wait.ts'

export interface PebbleOptions {
  /** Of its API; the two after it are of its management and of the name server. */
  readonly port: number
  /** Where it asks for answers to its questions. */
  readonly httpPort: number
  /** Every host name leads there. */
  readonly address: string
}

/** What a real ACME server needs on disk; `command` runs it with a name server of its own, wherever that is called. */
export async function pebbleFiles(options: PebbleOptions): Promise<{
  readonly folder: string
  readonly trust: string
  readonly directory: string
  readonly command: readonly string[]
}> {
  const { port, httpPort, address } = options
  const folder = await mkdtemp(join(tmpdir(), 'mure-pebble-'))
  const certificate = join(folder, 'api.pem')
  const privateKey = join(folder, 'api.key')
  await exec('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', privateKey, '-out', certificate],
  ])
  const pebble = {
    listenAddress: `127.0.0.1:${String(port)}`,
    managementListenAddress: `127.0.0.1:${String(port + 1)}`,
    certificate,
    privateKey,
    httpPort,
    tlsPort: httpPort + 1,
  }
  await writeFile(join(folder, 'pebble.json'), JSON.stringify({ pebble }))
  const dns = `127.0.0.1:${String(port + 2)}`
  const names = `pebble-challtestsrv -management '' -http01 '' -https01 '' -tlsalpn01 '' -dns01 ${dns} -defaultIPv4 ${address} -defaultIPv6 ''`
  // It refuses every fifth nonce, so that clients learn to try again.
  const server = `PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=20 pebble -config ${folder}/pebble.json -dnsserver ${dns}`
  const script = `echo $$ > ${folder}/pid; ${names} & trap 'kill %1 %2' EXIT TERM; ${server} & wait -n`
  return {
    folder,
    trust: certificate,
    directory: `https://localhost:${String(port)}/dir`,
    command: ['bash', '-c', script],
  }
}

/** A real ACME server on this machine. */
export async function startPebble(options: PebbleOptions) {
  const files = await pebbleFiles(options)
  const [file = '', ...args] = files.command
  const child: ChildProcess = spawn(file, args, { stdio: 'ignore' })
  const exited = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
    await rm(files.folder, { recursive: true, force: true })
  }
  const trust = await readFile(files.trust, 'utf8')
  for (let attempt = 0; ; attempt++) {
    if (await answers(files.directory, trust)) break
    if (attempt > 200) {
      await stop()
      throw new Error('pebble does not answer')
    }
    await sleep(50)
  }
  return { trust, directory: files.directory, [Symbol.asyncDispose]: stop }
}

function answers(url: string, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(url, { ca }, (answer) => {
      answer.resume()
      resolve(true)
    })
    call.once('error', () => {
      resolve(false)
    })
    call.end()
  })
}
