import assert from 'node:assert/strict'
import test from 'node:test'
import { parseHead } from './request-head.ts'

const head = (text: string) => parseHead(Buffer.from(text.replaceAll('\n', '\r\n')))

test('a head is taken apart, and what follows it is kept', () => {
  assert.deepEqual(head('POST /images/load?quiet=1 HTTP/1.1\nHost: docker\nX-Empty:\n\nabc'), {
    method: 'POST',
    url: '/images/load?quiet=1',
    rawHeaders: ['Host', 'docker', 'X-Empty', ''],
    rest: Buffer.from('abc'),
  })
})

test('whatever another parser might read otherwise is left to the real one', () => {
  const doubtful = [
    'POST / HTTP/1.1\nHost: docker\n',
    'POST / HTTP/1.0\nHost: docker\n\n',
    'POST / HTTP/1.1\nHost: docker\n folded: yes\n\n',
    'POST / HTTP/1.1\nHost : docker\n\n',
    'POST http://other/ HTTP/1.1\nHost: docker\n\n',
    'POST /a b HTTP/1.1\nHost: docker\n\n',
  ]
  for (const text of doubtful) assert.equal(head(text), undefined, text)
})
