import { connect } from 'node:net'
import type { Duplex } from 'node:stream'

/** Joins a stream from a manager to the engine's socket: from here on it is a plain connection to the engine. */
export function serveRelay(stream: Duplex, engineSocket: string): void {
  const engine = connect({ path: engineSocket, allowHalfOpen: true })
  const end = () => {
    engine.destroy()
    stream.destroy()
  }
  engine.on('error', end)
  stream.on('error', end)
  engine.once('close', () => {
    if (stream.writable) stream.end()
  })
  stream.once('close', () => engine.destroy())
  stream.pipe(engine)
  engine.pipe(stream)
}
