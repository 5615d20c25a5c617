import { mkdir, readFile, rm } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { writeFileAtomic } from '#lib/atomic-file.ts'
import { MureError } from '#lib/errors.ts'
import { exec, execResult } from '#lib/exec.ts'
import { abortable } from '#lib/wait.ts'
import { cniPluginsOf } from '#model/cni.ts'
import type { CniPlugin } from '#model/cni.ts'
import type { Network } from '#model/network.ts'
import { inNetns } from '../tools.ts'
import type { CableEnd, Wiring } from '../wiring.ts'
import { runPlugins } from './plugins.ts'
import type { CniCall } from './plugins.ts'

/** What a DEL needs, also after this daemon was started anew. */
type Made = Omit<CniCall, 'command' | 'netns'>

const namespaceMs = 5_000

/**
 * Lets CNI's plugins make the container's link: in a namespace that is there for a moment, out of which the link is
 * given to the engine, who moves it into the sandbox as any other. The address is the one that the managers chose.
 */
export class CniWiring implements Wiring {
  readonly reachesHost = false
  readonly #networkOf: (networkId: string) => Network | undefined
  readonly #folder: string

  constructor(parts: {
    readonly networkOf: (networkId: string) => Network | undefined
    readonly folder: string
  }) {
    this.#networkOf = parts.networkOf
    this.#folder = parts.folder
  }

  async connect(end: CableEnd): Promise<{ mac: string }> {
    const network = this.#networkOf(end.networkId)
    if (network === undefined)
      throw new MureError('unavailable', `network ${end.networkId} is not known here`)
    const plugins = cniPluginsOf(network.spec)
    if (typeof plugins === 'string') throw new MureError('invalid', plugins)
    const call: Made = {
      name: network.spec.name,
      plugins: plugins.map((plugin, index) =>
        index === 0 ? this.#withAddresses(plugin, network, end) : plugin,
      ),
      containerId: end.endpointId,
      link: end.link,
      address: end.address,
    }
    await execResult('ip', ['link', 'del', end.link])
    await using namespace = await MomentaryNamespace.make()
    await mkdir(this.#folder, { recursive: true })
    await writeFileAtomic(this.#fileOf(end.endpointId), JSON.stringify(call))
    try {
      const result = await runPlugins({ ...call, command: 'ADD', netns: namespace.path })
      await writeFileAtomic(this.#fileOf(end.endpointId), JSON.stringify({ ...call, result }))
      const moved = await inNetns(
        namespace.path,
        ...['ip', 'link', 'set', end.link, 'netns', String(process.pid)],
      )
      if (moved.exitCode !== 0)
        throw new MureError(
          'internal',
          `the link of the CNI plugin was not given over: ${moved.stderr.trim()}`,
        )
      if (end.mac !== '') await exec('ip', ['link', 'set', end.link, 'address', end.mac])
      const shown = await exec('ip', ['-json', 'link', 'show', end.link])
      return { mac: (JSON.parse(shown) as { address?: string }[])[0]?.address ?? '' }
    } catch (error) {
      await this.disconnect(end.endpointId).catch(() => undefined)
      throw error
    }
  }

  async disconnect(endpointId: string): Promise<void> {
    const made = await this.#made(endpointId)
    if (made === undefined) return
    await runPlugins({ ...made, command: 'DEL', netns: '' })
    await execResult('ip', ['link', 'del', made.link])
    await rm(this.#fileOf(endpointId), { force: true })
  }

  async gatewayOf(endpointId: string): Promise<string> {
    const { result } = (await this.#made(endpointId)) ?? {}
    const isDefault = result?.routes?.find(({ dst }) => dst === '0.0.0.0/0')
    return isDefault === undefined ? '' : (isDefault.gw ?? result?.ips?.[0]?.gateway ?? '')
  }

  /** Where nothing else is said, CNI's own keeper of a host's addresses takes note of the one that was chosen. */
  #withAddresses(plugin: CniPlugin, { status }: Network, end: CableEnd): CniPlugin {
    const own = (plugin['ipam'] ?? {}) as Readonly<Record<string, unknown>>
    const range = status.ranges.find(({ subnet }) => !subnet.includes(':'))
    const type = own['type'] ?? 'host-local'
    const prefix = range?.subnet.split('/')[1] ?? '32'
    const defaults =
      type === 'host-local'
        ? {
            dataDir: join(this.#folder, 'addresses'),
            ranges: [[{ subnet: range?.subnet, gateway: range?.gateway }]],
          }
        : type === 'static'
          ? { addresses: [{ address: `${end.address}/${prefix}`, gateway: range?.gateway }] }
          : {}
    return { ...plugin, ipam: { type, ...defaults, ...own } }
  }

  async #made(endpointId: string): Promise<Made | undefined> {
    const text = await readFile(this.#fileOf(endpointId), 'utf8').catch(() => undefined)
    return text === undefined ? undefined : (JSON.parse(text) as Made)
  }

  #fileOf(endpointId: string): string {
    return join(this.#folder, `${endpointId}.json`)
  }
}

/** A network namespace that lasts as long as a program in it. */
class MomentaryNamespace implements AsyncDisposable {
  readonly path: string
  readonly #end: () => Promise<void>

  private constructor(path: string, end: () => Promise<void>) {
    this.path = path
    this.#end = end
  }

  static async make(): Promise<MomentaryNamespace> {
    const child = spawn('unshare', ['--net', 'sh', '-c', 'echo; exec cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const exited = once(child, 'close').catch(() => undefined)
    const made = new MomentaryNamespace(`/proc/${String(child.pid)}/ns/net`, async () => {
      child.stdin.end()
      await exited
    })
    // It is there once its program runs.
    await abortable(once(child.stdout, 'data'), AbortSignal.timeout(namespaceMs), 'a network namespace')
    return made
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end()
  }
}
