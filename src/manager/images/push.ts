import type { Duplex } from 'node:stream'
import { errorText, MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import { imageReceivePath, imageSendPath } from '#rpc/image-messages.ts'
import type { ImageOutcome } from '#rpc/image-messages.ts'
import { LineReader, writeLine } from '#rpc/json-lines.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { ImagePush, ImagePushReport } from '../control/images.ts'
import type { Relays } from '../dispatcher/relays.ts'
import { SharePlan } from './share-plan.ts'
import type { Step } from './share-plan.ts'

const openTimeoutMs = 10_000

/**
 * Puts an image of one node on others, all at a time: the first ones have it from that node, and the next from them.
 * Reports each node as it is done, in whatever order.
 */
export async function* pushImage(
  parts: { readonly mirror: Mirror; readonly relays: Relays },
  push: ImagePush,
  signal: AbortSignal,
): AsyncGenerator<ImagePushReport> {
  const plan = new SharePlan([push.from])
  const underWay = new Map<number, Promise<readonly [number, ImageOutcome]>>()
  let lastFailure = 'no node could give it'
  const failures = new Map<number, string>()
  const reports: ImagePushReport[] = []
  const report = (target: number, outcome: ImageOutcome) => {
    const nodeId = push.to[target]
    if (nodeId === undefined) return
    reports.push({ nodeId, node: parts.mirror.get('node', nodeId)?.meta.name ?? nodeId, outcome })
  }
  const take = (steps: readonly Step[]) => {
    for (const step of steps) {
      if (step.type === 'search') continue
      const nodeId = push.to[step.waiter]
      if (nodeId === undefined) continue
      if (step.type === 'tell' && step.answer.type === 'fetch') {
        const work = transfer(parts.relays, { ...push, from: step.answer.from, to: nodeId }, signal)
        underWay.set(
          step.waiter,
          work.then((outcome) => [step.waiter, outcome] as const),
        )
      } else {
        report(step.waiter, { type: 'failed', error: failures.get(step.waiter) ?? lastFailure })
        take(plan.gone(step.waiter))
      }
    }
  }
  push.to.forEach((nodeId, target) => {
    take(plan.want(target, nodeId))
  })
  for (;;) {
    yield* reports.splice(0)
    if (underWay.size === 0) return
    const [target, outcome] = await Promise.race(underWay.values())
    underWay.delete(target)
    if (outcome.type === 'received') {
      report(target, outcome)
      take(plan.have(target))
    } else {
      lastFailure = outcome.error
      failures.set(target, outcome.error)
      take(plan.failed(target))
    }
  }
}

async function transfer(
  relays: Relays,
  { image, from, to }: { image: string; from: NodeId; to: NodeId },
  signal: AbortSignal,
): Promise<ImageOutcome> {
  try {
    using wait = startWait({ timeoutMs: openTimeoutMs, signal, what: 'the nodes to answer' })
    const receivePath = `${imageReceivePath}?image=${encodeURIComponent(image)}`
    const receiver = await open(relays, to, receivePath, wait)
    try {
      const sender = await open(relays, from, imageSendPath, wait)
      return await carry(sender, receiver, signal)
    } finally {
      receiver.destroy()
    }
  } catch (error) {
    return { type: 'failed', error: errorText(error) }
  }
}

const open = (relays: Relays, nodeId: NodeId, path: string, wait: Wait): Promise<Duplex> =>
  relays.open(nodeId, { method: 'POST', path, headers: {} }, wait)

/** Brings a sender and a receiver together, until the receiver says how it went. */
async function carry(sender: Duplex, receiver: Duplex, signal: AbortSignal): Promise<ImageOutcome> {
  const breakOff = () => {
    sender.destroy()
    receiver.destroy()
  }
  signal.addEventListener('abort', breakOff, { once: true })
  sender.once('error', breakOff)
  sender.pipe(receiver)
  try {
    const lines = new LineReader(receiver)
    for (;;) {
      const line = await lines.line<ImageOutcome | { readonly type?: undefined }>()
      if (line.type !== undefined) return line
      writeLine(sender, line)
    }
  } catch (error) {
    if (signal.aborted) throw new MureError('cancelled', 'the push was given up', { cause: error })
    throw error
  } finally {
    signal.removeEventListener('abort', breakOff)
    sender.destroy()
  }
}
