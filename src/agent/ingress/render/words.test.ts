import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wordsOf } from './words.ts'

test('of what HAProxy prints, a person reads what is wrong', () => {
  const taken = `[NOTICE]   (1586) : haproxy version is 2.6.12
[ALERT]    (1586) : Binding [/run/x/haproxy.cfg:7] for frontend statistics: cannot bind socket (Address already in use) for [0.0.0.0:1936]
[ALERT]    (1586) : [haproxy.main()] Some protocols failed to start their listeners! Exiting.
`
  assert.equal(wordsOf(taken), 'it cannot listen at 0.0.0.0:1936: another program of this host does')
  const forbidden = taken.replace('Address already in use', 'Permission denied')
  assert.equal(wordsOf(forbidden), 'it cannot listen at 0.0.0.0:1936: Permission denied')
  const refused = `[ALERT]    (7) : config : parsing [/run/x/haproxy.cfg:3] : unknown keyword 'nonsense' in 'backend' section
[ALERT]    (7) : config : Error(s) found in configuration file : /run/x/haproxy.cfg
[ALERT]    (7) : config : Fatal errors found in configuration.
`
  assert.match(wordsOf(refused), /^parsing .* unknown keyword 'nonsense' in 'backend' section$/)
})
