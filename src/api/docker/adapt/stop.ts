import { sleep } from '#lib/wait.ts'
import type { AdaptedCall, Adaptor, EngineAnswer } from './adaptor.ts'
import { asObject } from './json.ts'

/**
 * 1.42: `signal` of stop and restart. An older engine would send the container's own stop signal: the one asked for
 * is sent by `kill`, the grace period is waited out here, and the engine's stop or restart ends what is left.
 */
const withSignal = (path: string): Adaptor => ({
  since: '1.42',
  method: 'POST',
  path,
  async adapt(call, next) {
    const signal = call.query.get('signal') ?? ''
    if (signal === '') return next()
    const container = `/containers/${encodeURIComponent(call.params['id'] ?? '')}`
    const inspected = await call.engine('GET', `${container}/json`)
    if (inspected.status !== 200) return inspected
    const state = asObject(asObject(inspected.json)?.['State'])
    if (state?.['Running'] === true) {
      const killed = await call.engine('POST', `${container}/kill?signal=${encodeURIComponent(signal)}`)
      // It may have ended by itself in between: then there is nothing left to signal.
      if (killed.status >= 400 && killed.status !== 409) return killed
      await waitForExit(call, container, graceSeconds(call, inspected))
    }
    call.query.delete('signal')
    call.query.set('t', '0')
    const ended = await next()
    // The engine found it stopped already; for the client it was this call that stopped it.
    return ended.status === 304 && state?.['Running'] === true ? { status: 204, json: undefined } : ended
  },
})

function graceSeconds(call: AdaptedCall, inspected: EngineAnswer): number {
  const asked = call.query.get('t') ?? ''
  if (asked !== '') return Number(asked)
  const own = asObject(asObject(inspected.json)?.['Config'])?.['StopTimeout']
  return typeof own === 'number' ? own : 10
}

/** A negative grace period is endless, as Docker's. */
async function waitForExit(call: AdaptedCall, container: string, graceSeconds: number): Promise<void> {
  const deadline = performance.now() + (graceSeconds < 0 ? Infinity : graceSeconds * 1_000)
  for (let pauseMs = 20; performance.now() < deadline; pauseMs = Math.min(pauseMs * 2, 500)) {
    call.signal.throwIfAborted()
    const { status, json } = await call.engine('GET', `${container}/json`)
    if (status !== 200 || asObject(asObject(json)?.['State'])?.['Running'] !== true) return
    await sleep(Math.min(pauseMs, Math.max(0, deadline - performance.now())), call.signal)
  }
}

export const stopAdaptors: readonly Adaptor[] = [
  withSignal('/containers/{id}/stop'),
  withSignal('/containers/{id}/restart'),
]
