import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fields } from './fields.ts'
import { serviceSpecToModel } from './service.ts'

const template = { ContainerSpec: { Image: 'web' } }

test("names of members are found in any case, as Go's decoder does it", () => {
  const spec = (mode: object) => serviceSpecToModel({ Name: 'web', TaskTemplate: template, Mode: mode }).mode
  assert.deepEqual(spec({ global: {} }), { type: 'global' })
  assert.deepEqual(spec({ replicated: { replicas: 5 } }), { type: 'replicated', replicas: 5 })
  assert.equal(new Fields({ name: 'other', Name: 'exact' }, 'Spec').string('Name'), 'exact')
})

test("members of the wrong type are refused in Go's words", () => {
  const create = (body: unknown) => () => serviceSpecToModel(body)
  assert.throws(create([]), /json: cannot unmarshal array into Go value of type swarm\.ServiceSpec$/)
  assert.throws(
    create({ TaskTemplate: { ContainerSpec: { Env: 'A=b' } } }),
    /cannot unmarshal string into Go struct field ContainerSpec\.TaskTemplate\.ContainerSpec\.Env of type \[\]string$/,
  )
  assert.throws(
    create({ TaskTemplate: template, Mode: { Replicated: { Replicas: -1 } } }),
    /cannot unmarshal number -1 into Go struct field ReplicatedService\.Mode\.Replicated\.Replicas of type uint64$/,
  )
})
