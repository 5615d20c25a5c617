import type { Duplex } from 'node:stream'
import { createInterface } from 'node:readline'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type {
  ExaminationMessage,
  ExaminationOrder,
  HostReport,
  KernelDifference,
  PathReport,
} from '#model/network-examination.ts'
import { Probe } from './probe.ts'

/** A host that is examined. */
export interface Examined {
  /** What is not as it should be; after a repair, what still is not. */
  differences(): Promise<readonly KernelDifference[]>
  repair(): Promise<void>
  readonly networks: number
  /** Of the tunnels. */
  readonly port: number
  /** Of the cluster's networks here. */
  mtu(): Promise<number>
  /** A name for a device that nothing else has. */
  readonly probeDevice: string
}

const tunnelBytes = 50
/** A manager that has gone silent is not waited for. */
const mostMs = 90_000

/** Does what a manager orders over the stream, and tells what was found. All that it made is gone when it ends. */
export async function serveExamination(stream: Duplex, host: Examined, logger: Logger): Promise<void> {
  const timer = setTimeout(() => stream.destroy(), mostMs)
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]()
  const say = (message: ExaminationMessage) => stream.write(`${JSON.stringify(message)}\n`)
  const hear = async (): Promise<ExaminationMessage | undefined> => {
    const next = await lines.next()
    return next.done === true ? undefined : (JSON.parse(next.value) as ExaminationMessage)
  }
  stream.on('error', () => undefined)
  let probe: Probe | undefined
  try {
    const order = await hear()
    if (order?.type !== 'order') return
    const mtu = await host.mtu()
    let problem: string | undefined
    try {
      probe = await Probe.start(order, { device: host.probeDevice, port: host.port, mtu })
    } catch (error) {
      problem = errorText(error)
    }
    say({ type: 'ready' })
    if ((await hear())?.type !== 'probe') return
    const kernel = examineKernel(host, order)
    let paths: PathReport[] = []
    try {
      paths = (await probe?.try()) ?? []
    } catch (error) {
      problem = errorText(error)
    }
    const report: HostReport = {
      ...(await kernel),
      networks: host.networks,
      packetBytes: mtu + tunnelBytes,
      paths,
      ...(problem === undefined ? {} : { problem }),
    }
    say({ type: 'report', ...report })
    // Until the others have had their answers.
    await hear()
  } catch (error) {
    logger.warn('the examination of this host broke off', { error })
  } finally {
    clearTimeout(timer)
    await probe?.[Symbol.asyncDispose]()
    stream.end()
  }
}

async function examineKernel(
  host: Examined,
  { repair }: ExaminationOrder,
): Promise<Pick<HostReport, 'differences' | 'remaining'>> {
  const differences = await host.differences()
  if (!repair || differences.length === 0) return { differences }
  await host.repair()
  return { differences, remaining: await host.differences() }
}
