import { errorText } from '#lib/errors.ts'
import type { Random } from '#lib/random.ts'
import { sleep } from '#lib/wait.ts'
import { webImage } from '../../test/support/cluster.ts'
import type { TestCluster } from '../../test/support/cluster.ts'

const managers = ['manager01', 'manager02', 'manager03'] as const
const workers = ['worker01', 'worker02'] as const
const mostReplicas = 8
/** After all is healed a daemon may still be on its way up. */
const attempts = 40
const againMs = 500

/** What a cluster is asked for while things break, and what it must have at the end of it. */
export class SoakWork {
  readonly hosts: readonly string[] = [...managers, ...workers]
  /** Objects whose creation was acknowledged. */
  readonly configs: string[] = []
  /** Of replicated services; a service whose change was not acknowledged is not among them. */
  readonly replicas = new Map<string, number>()
  /** The host that is out of order now: nobody asks there. */
  out: string | undefined
  readonly #cluster: TestCluster
  readonly #random: Random
  readonly #drained = new Set<string>()
  #count = 0

  private constructor(cluster: TestCluster, random: Random) {
    this.#cluster = cluster
    this.#random = random
  }

  static async begin(cluster: TestCluster, random: Random): Promise<SoakWork> {
    const work = new SoakWork(cluster, random)
    const create = (name: string, ...options: string[]) =>
      cluster.docker(
        'manager01',
        ...['service', 'create', '-dq', '--name', name, '--network', 'net', '--stop-grace-period', '1s'],
        ...[...options, webImage],
      )
    await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', 'net')
    await create('web', '--replicas', '6', '--publish', '8080:8080', '--update-parallelism', '2')
    await create('back', '--replicas', '3', '--update-order', 'start-first')
    await create('everywhere', '--mode', 'global')
    work.replicas.set('web', 6).set('back', 3)
    return work
  }

  /** Does something, and says what; a refusal is part of the exercise. */
  async next(): Promise<string> {
    const deeds = [
      () => this.#scale(),
      () => this.#service('--env-add', `N=${String(++this.#count)}`),
      () => this.#service('--force'),
      () => this.#createConfig(),
      () => this.#drain(),
      () => this.#activate(),
    ]
    const deed = this.#pick(deeds)
    try {
      return await deed()
    } catch (error) {
      return `refused: ${errorText(error).split('\n').at(-1)?.slice(-160) ?? ''}`
    }
  }

  /** All hosts take tasks again, and what every service is to be is known. */
  async settle(): Promise<void> {
    for (const host of this.#drained) await this.#insist('node', 'update', '--availability', 'active', host)
    this.#drained.clear()
    for (const name of ['web', 'back'])
      if (!this.replicas.has(name)) {
        await this.#insist('service', 'scale', '-d', `${name}=4`)
        this.replicas.set(name, 4)
      }
  }

  async #scale(): Promise<string> {
    const name = this.#pick(['web', 'back'])
    const replicas = 1 + this.#random.below(mostReplicas)
    this.replicas.delete(name)
    await this.#docker('service', 'scale', '-d', `${name}=${String(replicas)}`)
    this.replicas.set(name, replicas)
    return `${name} scaled to ${String(replicas)}`
  }

  async #service(...change: string[]): Promise<string> {
    const name = this.#pick(['web', 'back', 'everywhere'])
    await this.#docker('service', 'update', '-dq', ...change, name)
    return `${name} updated: ${change.join(' ')}`
  }

  async #createConfig(): Promise<string> {
    const name = `config${String(++this.#count)}`
    await this.#cluster.run(this.#manager(), 'sh', '-c', `echo ${name} | docker config create ${name} -`)
    this.configs.push(name)
    return `${name} created`
  }

  async #drain(): Promise<string> {
    const host = this.#pick(this.hosts)
    this.#drained.add(host)
    await this.#docker('node', 'update', '--availability', 'drain', host)
    return `${host} drained`
  }

  async #activate(): Promise<string> {
    const hosts = [...this.#drained]
    for (const host of hosts) {
      await this.#docker('node', 'update', '--availability', 'active', host)
      this.#drained.delete(host)
    }
    return `active again: ${hosts.join(' ')}`
  }

  async #insist(...args: string[]): Promise<void> {
    for (let attempt = 1; ; attempt++)
      try {
        await this.#docker(...args)
        return
      } catch (error) {
        if (attempt === attempts) throw error
        await sleep(againMs)
      }
  }

  #docker(...args: string[]): Promise<string> {
    return this.#cluster.docker(this.#manager(), ...args)
  }

  #manager(): string {
    return this.#pick(managers.filter((host) => host !== this.out))
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)] as T
  }
}
