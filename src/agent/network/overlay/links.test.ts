import assert from 'node:assert/strict'
import { test } from 'node:test'
import { staleLinks } from './links.ts'

const ours = (ifname: string, master?: string) => ({
  ifname,
  ifalias: 'mure-0a',
  ...(master === undefined ? {} : { master }),
})

test('of links without a network only those go that no container is on, and that are ours', () => {
  const links = [
    ours('mub1001'),
    ours('mux1001', 'mub1001'),
    ours('mub1002'),
    ours('mux1002', 'mub1002'),
    { ifname: 'muv0a1', master: 'mub1002' },
    ours('mub1003'),
    ours('mux1003', 'mub1003'),
    { ifname: 'mub1004', ifalias: 'mure-0b' },
    { ifname: 'eth0' },
  ]
  assert.deepEqual(staleLinks(links, '0a', new Set([0x1003])), ['mub1001', 'mux1001'])
  assert.deepEqual(staleLinks(links, '0c', new Set()), [])
})
