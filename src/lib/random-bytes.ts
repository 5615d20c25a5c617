import { randomFillSync } from 'node:crypto'

const poolBytes = 16 * 1024
let pool = Buffer.alloc(0)
let used = 0

/**
 * Bytes from the system's secure generator, which is asked for many at once: a call costs more than a thousand bytes.
 * None is handed out twice. Few at a time, for ids and nonces; a key asks for its own.
 */
export function takeRandomBytes(count: number): Buffer {
  if (used + count > pool.length) {
    // A pool of its own each time: what was handed out is a view of the one before.
    pool = randomFillSync(Buffer.allocUnsafeSlow(Math.max(poolBytes, count)))
    used = 0
  }
  used += count
  return pool.subarray(used - count, used)
}
