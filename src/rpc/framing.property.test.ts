import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isMureError } from '#lib/errors.ts'
import { encodeFrame, FrameDecoder, maxFrameBytes } from './framing.ts'
import type { Frame } from './framing.ts'

/** Cut into chunks of at most so many bytes, in turn. */
function decodeInPieces(bytes: Buffer, sizes: readonly number[]): Frame[] {
  const decoder = new FrameDecoder()
  const frames: Frame[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    frames.push(...decoder.push(bytes.subarray(at, at + size)))
    at += size
  }
  return frames
}

const invalid = (message: RegExp) => (error: unknown) =>
  isMureError(error, 'invalid') && message.test(error.message)

test('messages come out as they went in, wherever the chunks break', () => {
  const message = fc.record({ content: fc.jsonValue(), isEnd: fc.boolean() })
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(fc.array(message), sizes, (messages, pieces) => {
      // JSON knows no -0.
      const plain = JSON.parse(JSON.stringify(messages)) as typeof messages
      const bytes = Buffer.concat(plain.map(({ content, isEnd }) => encodeFrame(content, { isEnd })))
      assert.deepEqual(decodeInPieces(bytes, pieces), plain)
      assert.deepEqual(decodeInPieces(bytes, [bytes.length + 1]), plain)
    }),
  )
})

test('whatever bytes come, there are messages or one refusal', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (chunks) => {
      const decoder = new FrameDecoder()
      try {
        for (const chunk of chunks) decoder.push(Buffer.from(chunk))
      } catch (error) {
        assert.ok(isMureError(error, 'invalid'))
      }
    }),
  )
})

test('a frame that is too large is refused by its head, and not sent', () => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(maxFrameBytes + 1)
  assert.throws(() => new FrameDecoder().push(head), invalid(/too large/))
  assert.throws(() => new FrameDecoder().push(Buffer.from([255, 255, 255, 255])), invalid(/too large/))
  assert.throws(() => encodeFrame('x'.repeat(maxFrameBytes)), invalid(/larger/))
  assert.equal(encodeFrame('x'.repeat(maxFrameBytes - 2)).length, maxFrameBytes + 4)
})

test('what has no JSON is not sent', () => {
  assert.throws(() => encodeFrame(undefined), invalid(/must be JSON/))
})

test('a frame that comes byte by byte costs no more memory than its bytes', () => {
  const decoder = new FrameDecoder()
  const bytes = encodeFrame('x'.repeat(1_000_000))
  const before = process.memoryUsage().arrayBuffers
  for (let at = 0; at < bytes.length - 1; at++)
    assert.equal(decoder.push(bytes.subarray(at, at + 1)).length, 0)
  const kept = process.memoryUsage().arrayBuffers - before
  assert.equal(decoder.push(bytes.subarray(-1)).length, 1)
  assert.ok(kept < 16_000_000, `${String(kept)} bytes`)
})

test('nesting as deep as a frame allows does no harm', () => {
  const depth = 1_000_000
  const body = Buffer.from('['.repeat(depth) + ']'.repeat(depth))
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  try {
    assert.equal(new FrameDecoder().push(Buffer.concat([head, body])).length, 1)
  } catch (error) {
    assert.ok(isMureError(error, 'invalid'))
  }
})
