import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { errorText } from '#lib/errors.ts'
import { execResult } from '#lib/exec.ts'
import type { Logger } from '#lib/logger.ts'
import { Mutex } from '#lib/mutex.ts'
import type { DataPlaneMember } from '#model/data-plane.ts'
import type { IngressConfiguration, IngressNodeState } from '#model/ingress/configuration.ts'
import { trimAccessLog } from './access-log.ts'
import { readCertificateFolder } from './certificate-folder.ts'
import type { Certificates } from './certificate-folder.ts'
import { removeOtherConfigurations, writeConfiguration } from './configuration-folder.ts'
import type { ConfigurationFolder } from './configuration-folder.ts'
import { Haproxy } from './haproxy.ts'
import { refusals, runtimeCommands } from './render/runtime-commands.ts'
import { assignSlots, filledSlots } from './render/slots.ts'
import type { Slots } from './render/slots.ts'
import { resetConnections } from './reset-connections.ts'
import { targetsByService, targetsOf } from './targets.ts'

/** What the ingress needs of this host's part in the networks. */
export interface IngressNetwork {
  /** Everybody on the routing mesh's network. */
  ingressMembers(): Iterable<DataPlaneMember>
  isHostDown(nodeId: string): boolean
  /** This host's address of the data path; '' before it is known. */
  localAddress(): string
  /** From now on the mesh's network is kept on this host, or need not be. */
  keepIngressNetwork(isKept: boolean): Promise<void>
}

export interface IngressAgentOptions {
  /** For what must not outlive a reboot. */
  readonly folder: string
  readonly accessLogFile: string
  readonly network: IngressNetwork
  readonly clock: Clock
  readonly logger: Logger
  readonly report: (state: IngressNodeState | undefined) => void
}

/** What HAProxy does now. */
interface InForce {
  /** What it was made from. */
  readonly made: string
  readonly configuration: IngressConfiguration
  readonly folder: ConfigurationFolder
  readonly slots: Map<string, Slots>
}

const retryMs = 3_000
const lookAtFilesMs = 20_000
const largestOutputBytes = 1024 * 1024

/**
 * This host's HTTP ingress: an HAProxy that does what the managers' configuration and the data plane's tasks say.
 *
 * 1. Tasks come and go through the runtime socket; only other routes, certificates or too few slots need a reload.
 * 2. What HAProxy refuses is not tried on the serving process: the last good configuration stays in force.
 */
export class IngressAgent implements AsyncDisposable {
  readonly #options: IngressAgentOptions
  readonly #haproxy: Haproxy
  readonly #mutex = new Mutex()
  readonly #files: NodeJS.Timeout
  #wanted: IngressConfiguration | undefined
  #inForce: InForce | undefined
  /** What was refused, and why: it is not tried again before something has changed, or a while has passed. */
  #refused: { readonly made: string; readonly why: string } | undefined
  #certificates: Certificates | undefined
  #number = 0
  /** Addresses on hosts that are down: what was sent to them will not be answered. */
  #lost: ReadonlySet<string> = new Set()
  #retry: NodeJS.Timeout | undefined
  #user: string | undefined
  #hasIpv6 = false
  #isReady = false
  #isDisposed = false

  constructor(options: IngressAgentOptions) {
    const { folder, accessLogFile, logger } = options
    this.#options = options
    this.#haproxy = new Haproxy({
      folder,
      accessLogFile,
      logger,
      ended: (lastWords) => {
        logger.warn('HAProxy ended and is started again', { lastWords })
        this.#again(0)
      },
    })
    this.#files = setInterval(() => {
      this.#background(this.#lookAtFiles())
    }, lookAtFilesMs).unref()
  }

  /** Resolves once HAProxy does so, or has refused. Undefined: this host runs no ingress. */
  async configure(configuration: IngressConfiguration | undefined): Promise<void> {
    if (configuration?.certificateFolder !== this.#wanted?.certificateFolder) this.#certificates = undefined
    this.#wanted = configuration
    await this.#mutex.run(() => this.#apply())
  }

  /** The data plane has changed: resolves once HAProxy sends nothing new to tasks that have left it. */
  async sync(): Promise<void> {
    if (this.#wanted === undefined) return
    await this.#mutex.run(() => this.#apply())
  }

  /** HAProxy goes on serving, as containers do. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    clearInterval(this.#files)
    clearTimeout(this.#retry)
    await this.#mutex.run(async () => undefined)
  }

  async #apply(): Promise<void> {
    if (this.#isDisposed) return
    const wanted = this.#wanted
    if (wanted === undefined) return this.#stop()
    await this.#prepare()
    try {
      await this.#reloadIfNeeded(wanted)
      await this.#fillSlots()
      await this.#giveUpLost()
      this.#report()
    } catch (error) {
      this.#options.logger.warn('the ingress of this host is not as it should be', { error })
      this.#report(errorText(error))
      this.#again(retryMs)
    }
  }

  async #prepare(): Promise<void> {
    await this.#options.network.keepIngressNetwork(true)
    if (this.#isReady) return
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 })
    const known = await execResult('id', ['-u', 'haproxy'])
    this.#hasIpv6 = await access('/proc/net/if_inet6').then(
      () => true,
      () => false,
    )
    this.#user = known.exitCode === 0 ? 'haproxy' : undefined
    await this.#haproxy.adopt()
    // Numbers of an earlier life may still be in use by a process that finishes its requests.
    this.#number = Math.floor(this.#options.clock.now() / 1000)
    this.#isReady = true
  }

  async #stop(): Promise<void> {
    if (!this.#isReady && this.#inForce === undefined) {
      // One that an earlier life of this daemon has left behind.
      await this.#haproxy.adopt()
    }
    clearTimeout(this.#retry)
    this.#inForce = undefined
    this.#refused = undefined
    this.#certificates = undefined
    if (!this.#haproxy.isServing) return
    await this.#haproxy.stop()
    await removeOtherConfigurations(this.#options.folder, undefined)
    await this.#options.network.keepIngressNetwork(false)
    this.#options.report(undefined)
  }

  async #reloadIfNeeded(configuration: IngressConfiguration): Promise<void> {
    this.#certificates ??= await readCertificateFolder(
      configuration.certificateFolder,
      this.#options.clock.now(),
    )
    const sourceAddress = this.#options.network.localAddress()
    const made = JSON.stringify([configuration, this.#certificates.mark, sourceAddress])
    const serves = this.#haproxy.isServing && this.#inForce !== undefined
    if (serves && this.#inForce?.made === made) {
      // What was refused in between is wanted no more.
      this.#refused = undefined
      return
    }
    if (serves && this.#refused?.made === made) return
    await this.#reload(configuration, this.#certificates, sourceAddress, made)
  }

  /** Another process with this configuration; the one before finishes its requests. */
  async #reload(
    configuration: IngressConfiguration,
    certificates: Certificates,
    sourceAddress: string,
    made: string,
  ): Promise<void> {
    const { folder: root, logger } = this.#options
    const targets = targetsByService(this.#options.network.ingressMembers())
    const slots = new Map<string, Slots>()
    for (const route of configuration.routes) slots.set(route.id, filledSlots([...targetsOf(targets, route)]))
    this.#number += 1
    const accessLog = configuration.accessLog ? 'fd@3' : undefined
    const folder = await writeConfiguration(root, this.#number, {
      configuration,
      certificates,
      slots,
      places: { sourceAddress, accessLog, user: this.#user, hasIpv6: this.#hasIpv6 },
    })
    const refusal = await this.#haproxy.check(folder.file)
    if (refusal !== undefined) {
      this.#refused = { made, why: refusal }
      await removeOtherConfigurations(root, this.#inForce?.folder)
      throw new Error(`HAProxy refuses the configuration, and the last good one stays in force: ${refusal}`)
    }
    const started = performance.now()
    try {
      await this.#haproxy.serve(folder.file, folder.socket)
    } catch (error) {
      if (!this.#haproxy.isServing) throw error
      throw new Error(`the last good configuration stays in force: ${errorText(error)}`, { cause: error })
    }
    this.#refused = undefined
    this.#inForce = { made, configuration, folder, slots }
    logger.info('HAProxy serves by a new configuration', {
      routes: configuration.routes.length,
      ms: Math.round(performance.now() - started),
    })
    await removeOtherConfigurations(root, folder)
  }

  /** Tasks that have come or gone since. */
  async #fillSlots(): Promise<void> {
    const inForce = this.#inForce
    if (inForce === undefined) return
    const targets = targetsByService(this.#options.network.ingressMembers())
    const commands: string[] = []
    const next = new Map<string, Slots>()
    for (const route of inForce.configuration.routes) {
      const assigned = assignSlots(inForce.slots.get(route.id) ?? [], targetsOf(targets, route))
      if (assigned === undefined) return this.#reloadInForce(inForce)
      if (assigned.changes.length === 0) continue
      commands.push(...runtimeCommands(route.id, route.port, assigned.changes))
      next.set(route.id, assigned.slots)
    }
    if (commands.length === 0) return
    const refused = refusals(await this.#haproxy.ask(commands))
    if (refused.length > 0) {
      this.#options.logger.warn('HAProxy refused a change at run time and is reloaded', { refused })
      return this.#reloadInForce(inForce)
    }
    for (const [id, slots] of next) inForce.slots.set(id, slots)
  }

  /**
   * Requests under way to a host without power would wait for minutes; so their connections are ended here, and
   * HAProxy sends what may be repeated to another task.
   */
  async #giveUpLost(): Promise<void> {
    const { network } = this.#options
    const lost = new Set<string>()
    for (const { nodeId, addresses } of network.ingressMembers())
      if (network.isHostDown(nodeId)) for (const address of addresses) lost.add(address)
    const fresh = [...lost].filter((address) => !this.#lost.has(address))
    this.#lost = lost
    await resetConnections(fresh)
  }

  /** The same with other slots. */
  async #reloadInForce({ configuration, made }: InForce): Promise<void> {
    const certificates = this.#certificates ?? { files: [], problems: [], mark: '' }
    await this.#reload(configuration, certificates, this.#options.network.localAddress(), made)
  }

  #report(problem?: string): void {
    const problems = [
      ...(problem === undefined ? [] : [problem]),
      ...(problem === undefined && this.#refused !== undefined ? [this.#refused.why] : []),
      ...(this.#certificates?.problems ?? []),
    ]
    this.#options.report({
      state: this.#haproxy.isServing ? 'running' : 'failed',
      ...(problems.length === 0 ? {} : { problems }),
    })
  }

  async #lookAtFiles(): Promise<void> {
    const { accessLogFile, clock } = this.#options
    const folder = this.#wanted?.certificateFolder
    if (this.#wanted === undefined) return
    await trimAccessLog(accessLogFile)
    await trimAccessLog(join(this.#options.folder, 'haproxy.log'), largestOutputBytes)
    if (folder === undefined) return
    const certificates = await readCertificateFolder(folder, clock.now())
    if (certificates.mark === this.#certificates?.mark) return
    this.#certificates = certificates
    await this.sync()
  }

  #again(afterMs: number): void {
    if (this.#isDisposed || this.#wanted === undefined) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      this.#refused = undefined
      this.#background(this.sync())
    }, afterMs)
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#options.logger.warn('the ingress of this host is not in order', { error })
    })
  }
}
