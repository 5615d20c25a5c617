import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { MureError } from '#lib/errors.ts'
import { exec, execResult } from '#lib/exec.ts'
import { abortable } from '#lib/wait.ts'
import { probeVxlanId } from '#model/network-examination.ts'
import type { ExaminationOrder, PathReport } from '#model/network-examination.ts'
import { inNetns } from '../tools.ts'

/** A range for measurements between networks, which nobody routes. @see RFC 2544 */
const addressOf = (index: number): string => `198.18.${String(index >> 8)}.${String(index & 255)}`
const macOf = (index: number): string =>
  [
    '02',
    '4f',
    '00',
    '00',
    ...[index >> 8, index & 255].map((byte) => byte.toString(16).padStart(2, '0')),
  ].join(':')

const probePort = 4_790
/** The heads of IPv4 and UDP. */
const headBytes = 28
const startMs = 15_000
const probeMs = 30_000

interface Answer {
  readonly started?: number
  readonly ready?: boolean
  readonly results?: readonly (Omit<PathReport, 'to'> & { readonly key: string })[]
}

/**
 * A tunnel of its own for the time of an examination, in a network namespace of its own: it goes the way of all
 * tunnels, through the host's firewall and the underlay, and touches nothing else of the host.
 */
export class Probe implements AsyncDisposable {
  readonly #answers: AsyncIterator<string>
  readonly #write: (line: object) => void
  readonly #end: () => Promise<void>

  private constructor(parts: {
    answers: AsyncIterator<string>
    write: (line: object) => void
    end: () => Promise<void>
  }) {
    this.#answers = parts.answers
    this.#write = parts.write
    this.#end = parts.end
  }

  /** Ready to answer the others. */
  static async start(
    order: ExaminationOrder,
    host: { readonly device: string; readonly port: number; readonly mtu: number },
  ): Promise<Probe> {
    const { device, port, mtu } = host
    const program = join(import.meta.dirname, 'prober.ts')
    const child = spawn(
      'unshare',
      ['--net', process.execPath, '--disable-warning=ExperimentalWarning', program],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    )
    const exited = once(child, 'close').catch(() => undefined)
    child.stdin.on('error', () => undefined)
    const probe = new Probe({
      answers: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
      write: (line) => child.stdin.write(`${JSON.stringify(line)}\n`),
      end: async () => {
        child.stdin.end()
        const timer = setTimeout(() => child.kill('SIGKILL'), 2_000)
        await exited
        clearTimeout(timer)
      },
    })
    try {
      const { started } = await probe.#answer(startMs)
      if (started === undefined) throw new MureError('internal', 'the prober did not start')
      await execResult('ip', ['link', 'del', device])
      await exec('ip', [
        ...['link', 'add', device, 'type', 'vxlan', 'id', String(probeVxlanId)],
        ...['local', order.own.address, 'dstport', String(port), 'nolearning', 'df', 'set'],
      ])
      await exec('ip', ['link', 'set', device, 'netns', String(started)])
      const netns = `/proc/${String(started)}/ns/net`
      const commands = [
        ['ip', 'link', 'set', device, 'address', macOf(order.own.index), 'mtu', String(mtu), 'up'],
        ['ip', 'addr', 'add', `${addressOf(order.own.index)}/15`, 'dev', device],
        ...order.peers.flatMap(({ index, address }) => [
          ['bridge', 'fdb', 'append', macOf(index), 'dev', device, 'dst', address, 'self', 'permanent'],
          [
            'ip',
            'neigh',
            'replace',
            addressOf(index),
            'lladdr',
            macOf(index),
            'dev',
            device,
            'nud',
            'permanent',
          ],
        ]),
      ]
      for (const command of commands) {
        const { exitCode, stderr } = await inNetns(netns, ...command)
        if (exitCode !== 0) throw new MureError('internal', `${command.join(' ')}: ${stderr.trim()}`)
      }
      probe.#write({
        address: addressOf(order.own.index),
        port: probePort,
        peers: order.peers.map(({ nodeId, index }) => ({ key: nodeId, address: addressOf(index) })),
        largestBytes: mtu - headBytes,
      })
      if ((await probe.#answer(startMs)).ready !== true)
        throw new MureError('internal', 'the prober did not begin')
      return probe
    } catch (error) {
      await probe[Symbol.asyncDispose]()
      throw error
    }
  }

  async try(): Promise<PathReport[]> {
    this.#write({ probe: true })
    const { results = [] } = await this.#answer(probeMs)
    return results.map(({ key, ...result }) => ({ ...result, to: key as PathReport['to'] }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end()
  }

  async #answer(timeoutMs: number): Promise<Answer> {
    const next = await abortable(this.#answers.next(), AbortSignal.timeout(timeoutMs), 'the prober to answer')
    if (next.done === true) throw new MureError('unavailable', 'the prober has ended')
    return JSON.parse(next.value) as Answer
  }
}
