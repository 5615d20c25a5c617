import { connect } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * Joins a stream from a manager to the engine's socket: from here on it is a plain connection to the engine, with an
 * end of its own in each direction, as attach and exec need it. What breaks one side breaks the other.
 */
export function serveRelay(stream: Duplex, engineSocket: string): void {
  const engine = connect({ path: engineSocket, allowHalfOpen: true })
  const breakOff = (error: Error) => {
    engine.destroy()
    stream.destroy(error)
  }
  engine.once('error', breakOff)
  stream.once('error', breakOff)
  stream.once('close', () => {
    engine.destroy()
  })
  stream.pipe(engine)
  engine.pipe(stream)
}
