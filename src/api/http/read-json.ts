import type { IncomingMessage } from 'node:http'
import { MureError } from '#lib/errors.ts'
import { jsonProblem } from '#lib/json-problem.ts'
import { parseJson } from '#lib/lossless-json.ts'

/** Specs with configs and secrets inside stay below 4 MiB (gRPC's own limit in Swarm); 16 leaves room for any other. */
const maxJsonBytes = 16 * 1024 * 1024
/** Real requests are some ten levels deep. */
const maxJsonDepth = 200
/** A client that sends nothing for so long in the middle of a body is gone, or holds the connection on purpose. */
const stallMs = 30_000

/**
 * The body as JSON; undefined for none. Wrong types, sizes and texts are `invalid`.
 * @see moby daemon/server/httputils: the same sentences
 */
export async function readJson(message: IncomingMessage): Promise<unknown> {
  const bytes = await readBody(message)
  if (bytes.length === 0) return undefined
  requireJsonType(message.headers['content-type'] ?? '')
  const text = bytes.toString()
  refuseDepth(text)
  try {
    return parseJson(text)
  } catch (error) {
    const reason = jsonProblem(text, 'unexpected EOF') ?? 'it cannot be read'
    throw new MureError('invalid', `invalid JSON: ${reason}`, { cause: error })
  }
}

/** Not by `for await`: leaving it early would destroy the connection, and with it the answer. */
function readBody(message: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (problem?: string) => {
      clearTimeout(timer)
      message.removeAllListeners('data').removeListener('end', onEnd).removeListener('close', onClose)
      if (problem === undefined) resolve(Buffer.concat(chunks))
      else reject(new MureError('invalid', problem))
    }
    const onEnd = () => {
      end()
    }
    const onClose = () => {
      end('invalid JSON: unexpected EOF while reading request body')
    }
    const timer = setTimeout(() => {
      end(`invalid JSON: nothing came for ${String(stallMs / 1_000)} s while reading request body`)
    }, stallMs)
    message.on('data', (chunk: Buffer) => {
      timer.refresh()
      size += chunk.length
      if (size > maxJsonBytes) end('http: request body too large')
      else chunks.push(chunk)
    })
    message.once('end', onEnd)
    message.once('close', onClose)
  })
}

function requireJsonType(header: string): void {
  const type = header.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/json') return
  throw new MureError(
    'invalid',
    type === ''
      ? 'malformed Content-Type header (): mime: no media type'
      : `unsupported Content-Type header (${header}): must be 'application/json'`,
  )
}

/** Before parsing: a parser that recurses would fall over first. */
function refuseDepth(text: string): void {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (inString) {
      if (char === 0x5c) i++
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > maxJsonDepth) throw new MureError('invalid', 'invalid JSON: exceeded max depth')
    } else if (char === 0x7d || char === 0x5d) depth--
  }
}
