import assert from 'node:assert/strict'
import test from 'node:test'
import { lines } from './lines.ts'

async function linesOf(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  async function* bytes(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk as string)
  }
  const found: string[] = []
  for await (const line of lines(bytes())) found.push(line)
  return found
}

test('lines are found wherever the connection cuts them, also within a character', async () => {
  assert.deepEqual(await linesOf('{"a":1}\n{"b"', ':2}\r\n\n', 'end'), ['{"a":1}', '{"b":2}\r', 'end'])
  const umlaut = Buffer.from('ü\n')
  assert.deepEqual(await linesOf(umlaut.subarray(0, 1), umlaut.subarray(1)), ['ü'])
})
