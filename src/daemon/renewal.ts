import type { Clock } from '#lib/clock.ts'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { certificateFacts, renewalTime } from '#security/certificate.ts'
import type { Credentials } from './credentials.ts'

/** Looked at this often: a timer for weeks would not survive a clock that is set. */
const lookEveryMs = 60_000
const retryEveryMs = 30_000

/** Renews the node's certificate at a random time in the second half of its life, and keeps trying until it has one. */
export function renewBeforeExpiry(
  credentials: Credentials,
  parts: { clock: Clock; random: Random; logger: Logger },
  renew: () => Promise<void>,
): Disposable {
  let certificate = ''
  let due = 0
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const look = async () => {
    if (credentials.keys.certificate !== certificate) {
      certificate = credentials.keys.certificate
      due = renewalTime(certificateFacts(certificate), parts.random)
    }
    let next = Math.min(lookEveryMs, Math.max(1_000, due - parts.clock.now()))
    if (parts.clock.now() >= due) {
      try {
        await renew()
        due = renewalTime(certificateFacts(credentials.keys.certificate), parts.random)
        certificate = credentials.keys.certificate
        if (parts.clock.now() >= due) {
          parts.logger.warn('a new certificate is already old by the clock of this host: set the clock right')
          next = lookEveryMs
        }
      } catch (error) {
        parts.logger.warn('the certificate was not renewed yet', { error: errorText(error) })
        next = retryEveryMs
      }
    }
    if (!stopped) arm(next)
  }
  const arm = (ms: number) => {
    timer = setTimeout(() => {
      look().catch((error: unknown) => {
        parts.logger.error('renewal stopped', { error })
      })
    }, ms)
    timer.unref()
  }
  arm(1_000)
  return {
    [Symbol.dispose]() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
