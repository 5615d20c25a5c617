import { Socket } from 'node:net'
import type { OnReadOpts, SocketConstructorOpts } from 'node:net'
import type { Duplex, Writable } from 'node:stream'

/** The kernel's default buffer of a unix socket is 208 KiB: so much is read at once at most. */
const bufferBytes = 256 * 1024

/**
 * `onread` of a socket that carries everything to a target, through buffers that are used again. A new buffer of
 * 64 KiB for each read, as `pipe` has it, costs four times the processor time (measured: 520 against 140 ms a GiB).
 */
export function carry(ends: { from: () => Socket; to: () => Writable }): OnReadOpts {
  const free: Uint8Array[] = []
  return {
    buffer: () => free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes),
    callback(size, buffer) {
      const target = ends.to()
      // Nobody wants it any more, but the end must still be seen.
      if (!target.writable) {
        free.push(buffer)
        return true
      }
      const mayGoOn = target.write(buffer.subarray(0, size), () => free.push(buffer))
      if (!mayGoOn) target.once('drain', () => ends.from().resume())
      return mayGoOn
    },
  }
}

/**
 * The same connection, carried to `target` in this way. Node offers `onread` for connections that one makes and not
 * for those that a server accepts, so the handle below is moved into another socket. The given one lives and dies
 * with it: its server counts it. Undefined where there is no such handle (TLS).
 */
export function carryAccepted(accepted: Duplex, target: Writable): Socket | undefined {
  const { _handle: handle } = accepted as { _handle?: object | null }
  if (!(accepted instanceof Socket) || handle === undefined || handle === null) return undefined
  Object.assign(accepted, { _handle: null })
  const onread = carry({ from: () => socket, to: () => target })
  const options = { handle, allowHalfOpen: true, highWaterMark: accepted.writableHighWaterMark, onread }
  const socket: Socket = new Socket(options as SocketConstructorOpts)
  socket.once('close', () => accepted.destroy())
  accepted.once('close', () => socket.destroy())
  return socket
}
