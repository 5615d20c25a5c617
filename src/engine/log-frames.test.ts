import assert from 'node:assert/strict'
import test from 'node:test'
import { logFrames } from './log-frames.ts'

const frame = (stream: number, text: string): Buffer => {
  const head = Buffer.alloc(8)
  head[0] = stream
  head.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([head, Buffer.from(text)])
}

async function framesOf(chunks: Buffer[]): Promise<string[]> {
  const found: string[] = []
  for await (const { stream, data } of logFrames(piecewise(chunks)))
    found.push(`${stream}: ${data.toString()}`)
  return found
}

async function* piecewise(chunks: Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks
}

test('frames are found wherever the connection cuts them', async () => {
  const bytes = Buffer.concat([frame(1, 'one'), frame(2, ''), frame(2, 'zwölf')])
  const expected = ['stdout: one', 'stderr: ', 'stderr: zwölf']
  assert.deepEqual(await framesOf([bytes]), expected)
  assert.deepEqual(await framesOf([...bytes].map((byte) => Buffer.from([byte]))), expected)
})

test('what is no frame is not taken for one', async () => {
  await assert.rejects(framesOf([frame(9, 'x')]), /no known stream/)
})
