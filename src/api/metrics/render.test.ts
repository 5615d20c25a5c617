import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aNode, aService, aTask } from '#model/testing/builders.ts'
import { clusterMetrics } from './cluster-metrics.ts'
import { renderMetrics } from './render.ts'

test('the text format, with what is special escaped', () => {
  const text = renderMetrics([
    {
      name: 'mure_a',
      type: 'gauge',
      help: 'a\nb',
      samples: [{ value: 1 }, { labels: { x: 'q"\\\n' }, value: 2.5 }],
    },
    { name: 'mure_none', type: 'counter', help: 'nothing', samples: [] },
  ])
  assert.equal(text, '# HELP mure_a a\\nb\n# TYPE mure_a gauge\nmure_a 1\nmure_a{x="q\\"\\\\\\n"} 2.5\n')
})

test('a cluster is counted by kinds and states', () => {
  const service = aService({ name: 'web', replicas: 3 })
  const running = aTask({ serviceId: service.meta.id, state: 'running' })
  const pending = aTask({ serviceId: service.meta.id, state: 'pending' })
  const down = aNode({ hostname: 'w2', status: { state: 'down' } })
  const text = renderMetrics(
    clusterMetrics({ nodes: [aNode(), down], services: [service], tasks: [running, pending] }),
  )
  assert.match(text, /^mure_nodes\{role="worker",state="ready",availability="active"\} 1$/m)
  assert.match(text, /^mure_nodes\{role="worker",state="down",availability="active"\} 1$/m)
  assert.match(text, /^mure_tasks\{state="running"\} 1$/m)
  assert.match(text, /^mure_service_tasks_desired\{service="web"\} 3$/m)
  assert.match(text, /^mure_service_tasks_running\{service="web"\} 1$/m)
})
