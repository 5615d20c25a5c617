import { MureError } from './errors.ts'

/**
 * What everything that waits is given: when to give up, and where to say what it waits for.
 * A timeout error prints the last note: "waited 30 s for etcd member m2 to catch up".
 */
export interface Wait {
  readonly signal: AbortSignal
  /** Says what is being waited for, in words that follow "waited 3 s for …". */
  note(text: string): void
  /** Throws `timeout` or `cancelled` when the wait is over. */
  check(): void
}

interface WaitOptions {
  /** Default: no limit of its own; the parent's or the caller's signal ends it. */
  timeoutMs?: number
  signal?: AbortSignal | undefined
  /** Hears every note as it changes, for progress on a screen. */
  onNote?: (text: string) => void
  what?: string
}

export function startWait(options: WaitOptions = {}): Wait & Disposable {
  const started = performance.now()
  const controller = new AbortController()
  let last = options.what ?? 'an answer'
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          const seconds = ((performance.now() - started) / 1000).toFixed(1)
          controller.abort(new MureError('timeout', `waited ${seconds} s for ${last}`))
        }, options.timeoutMs)
  const onAbort = () => {
    controller.abort(cancelReason(options.signal?.reason, last))
  }
  if (options.signal?.aborted) onAbort()
  else options.signal?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    note(text) {
      last = text
      options.onNote?.(text)
    },
    check() {
      if (controller.signal.aborted) throw cancelReason(controller.signal.reason, last)
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', onAbort)
    },
  }
}

function cancelReason(reason: unknown, what: string): MureError {
  if (reason instanceof MureError) return reason
  return new MureError('cancelled', `stopped waiting for ${what}`, { cause: reason })
}

/** Resolves after `ms`, or rejects at once when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(cancelReason(signal.reason, 'a delay'))
      return
    }
    const onAbort = () => {
      clearTimeout(timer)
      reject(cancelReason(signal?.reason, 'a delay'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** `promise`, or a rejection as soon as the signal aborts. The promise itself goes on unheard. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal, what = 'an answer'): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(cancelReason(signal.reason, what))
    }
    if (signal.aborted) {
      promise.catch(() => undefined)
      onAbort()
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(
      (value) => {
        signal.removeEventListener('abort', onAbort)
        resolve(value)
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort)
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}
