import type { IncomingMessage, ServerResponse } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Logger } from '#lib/logger.ts'
import { errorText, isMureError } from '#lib/errors.ts'
import type { LocalNode } from '../backend.ts'
import { listen } from '../http/listen.ts'
import type { Listening } from '../http/listen.ts'
import { clusterMetrics } from './cluster-metrics.ts'
import { nodeMetrics } from './node-metrics.ts'
import { renderMetrics } from './render.ts'
import type { Metric } from './render.ts'

export interface MetricsOptions {
  /** `tcp://address:port`. */
  readonly host: string
  readonly node: LocalNode
  readonly version: string
  readonly logger: Logger
}

const contentType = 'text/plain; version=0.0.4; charset=utf-8'

/** `/metrics` for Prometheus, at a port of its own: numbers and names, but nothing can be done here. */
export async function startMetrics(options: MetricsOptions): Promise<Listening> {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const startedAtSeconds = Date.now() / 1_000 - process.uptime()

  const text = (): string => {
    const { node, version } = options
    const { isManager, isStale } = node.info()
    const { user, system } = process.cpuUsage()
    const daemon = {
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
      startedAtSeconds,
      eventLoopDelaySeconds: delay.max / 1e9,
    }
    delay.reset()
    return renderMetrics([
      ...nodeMetrics(node.usage(), daemon, { isManager, isStale, version }),
      ...ofCluster(node),
    ])
  }

  const onRequest = (message: IncomingMessage, response: ServerResponse) => {
    const path = message.url?.split('?')[0]
    if (path !== '/metrics' || (message.method !== 'GET' && message.method !== 'HEAD')) {
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' })
      response.end('metrics are at /metrics\n')
      return
    }
    try {
      response.writeHead(200, { 'Content-Type': contentType }).end(text())
    } catch (error) {
      options.logger.error('metrics could not be told', { error: errorText(error) })
      response.destroy()
    }
  }
  const listening = await listen(
    options.host,
    { onRequest, mayUpgrade: () => false, onUpgrade: (_message, socket) => socket.destroy() },
    undefined,
    'is read-only',
  )
  return {
    ...listening,
    async [Symbol.asyncDispose]() {
      delay.disable()
      await listening[Symbol.asyncDispose]()
    },
  }
}

/** A worker knows nothing of the others. */
function ofCluster(node: LocalNode): Metric[] {
  try {
    const { view } = node.control()
    return clusterMetrics({
      nodes: view.list('node'),
      services: view.list('service'),
      tasks: view.list('task'),
    })
  } catch (error) {
    if (isMureError(error, 'unavailable')) return []
    throw error
  }
}
