import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderForwarder } from './forward.ts'

test("the forwarder listens at this machine's loopback alone and connects inside the lab", () => {
  const forwards = [
    { port: 5001, to: '192.168.100.2:5000' },
    { port: 9000, to: '192.168.100.11:9000' },
  ]
  assert.equal(
    renderForwarder('mure-lab-wire', forwards),
    `global
  maxconn 4096
defaults
  mode tcp
  timeout connect 5s
  timeout client 24h
  timeout server 24h
listen p5001
  bind 127.0.0.1:5001
  server lab 192.168.100.2:5000 namespace mure-lab-wire
listen p9000
  bind 127.0.0.1:9000
  server lab 192.168.100.11:9000 namespace mure-lab-wire
`,
  )
})
