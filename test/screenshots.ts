import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { installPackages } from '#cli/packages.ts'
import { instant } from '#lib/clock.ts'
import { execResult } from '#lib/exec.ts'
import type { StoredObject } from '#model/objects.ts'
import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import { aNode, aService, aTask } from '#model/testing/builders.ts'
import { SyntheticDashboard } from '../bench/support/synthetic-dashboard.ts'
import { newPage, openBrowser } from './support/browser.ts'
import type { PageOptions } from './support/browser.ts'

// Draws docs/screenshots/ anew, from a cluster that is made up: node test/screenshots.ts.
const folder = join(import.meta.dirname, '..', 'docs', 'screenshots')
const now = Date.now()
const ago = (minutes: number) => instant(now - minutes * 60_000)

const shop = { 'com.docker.stack.namespace': 'shop' }
const service = (name: string, image: string, replicas: number, port?: number): Service => {
  const made = aService({
    name,
    image,
    replicas,
    labels: name.startsWith('shop_') ? shop : {},
    ...(port === undefined
      ? {}
      : {
          endpoint: {
            ports: [{ protocol: 'tcp', targetPort: 8080, publishedPort: port, publishMode: 'ingress' }],
          },
        }),
  })
  return { ...made, meta: { ...made.meta, createdAt: ago(3_000 - name.length * 60), updatedAt: ago(42) } }
}

const services = [
  service('shop_front', 'registry:5000/front:2.4', 5, 8000),
  service('shop_api', 'registry:5000/api:1.8.3', 6),
  service('shop_cache', 'registry:5000/cache:7', 3),
  service('mailer', 'registry:5000/mailer:1.2', 2),
  service('visualizer', 'registry:5000/visualizer:latest', 1, 8080),
  service('trainer', 'registry:5000/trainer:0.9', 2),
]
const nodes = [
  aNode({
    hostname: 'manager01',
    role: 'manager',
    status: { manager: { memberId: '', address: '', peerUrl: '', leader: true, reachability: 'reachable' } },
  }),
  aNode({ hostname: 'worker01', memoryBytes: 16 * 2 ** 30 }),
  aNode({ hostname: 'worker02', cpus: 8, memoryBytes: 32 * 2 ** 30 }),
  aNode({ hostname: 'worker03', status: { state: 'down', message: 'heartbeat failure' } }),
]

const waiting = 'no suitable node (insufficient resources on 3 nodes; 1 node not available for new tasks)'
const placed = nodes.filter(({ status }) => status.state === 'ready')
let next = 0
const tasks: Task[] = services.flatMap(({ meta, spec }) =>
  Array.from({ length: spec.mode.type === 'replicated' ? (spec.mode.replicas ?? 1) : 1 }, (_, i) => {
    const isWaiting = spec.name === 'trainer' && i === 1
    const isStarting = spec.name === 'shop_api' && i === 5
    const state = isWaiting ? 'pending' : isStarting ? 'starting' : 'running'
    const task = aTask({
      serviceId: meta.id,
      serviceName: spec.name,
      slot: i + 1,
      nodeId: isWaiting ? '' : (placed[next++ % placed.length]?.meta.id ?? ''),
      spec: spec.template,
      state,
    })
    const container = { name: '', containerId: 'a1b2c3d4e5f6', pid: 1 }
    return {
      ...task,
      status: {
        ...task.status,
        since: ago(isStarting ? 0 : 12 + i),
        message: isWaiting ? 'pending task scheduling' : isStarting ? 'starting' : 'started',
        error: isWaiting ? waiting : '',
        containers: isWaiting ? [] : [container],
      },
    }
  }),
)

interface Shot {
  readonly name: string
  readonly options: PageOptions
  readonly hash: string
  readonly prepare?: (page: Page) => Promise<void>
}

const openNode = async (page: Page) => {
  await page.locator('.column-name', { hasText: 'worker02' }).click()
  await page.getByRole('tab').nth(1).click()
  await page.locator('.plot-line').first().waitFor({ state: 'attached' })
}
const shots: readonly Shot[] = [
  { name: 'swarm-dark', options: { width: 1440, height: 860 }, hash: 'swarm' },
  {
    name: 'swarm-light',
    options: { width: 1440, height: 860, theme: 'light' },
    hash: 'swarm',
    prepare: (page) => page.locator('.column.waiting .tile').click(),
  },
  { name: 'node-usage', options: { width: 1440, height: 860 }, hash: 'swarm', prepare: openNode },
  { name: 'japanese', options: { width: 1440, height: 860, language: 'ja' }, hash: 'services' },
  { name: 'phone', options: { width: 390, height: 844 }, hash: 'swarm' },
]

const say = (text: string) => process.stdout.write(`${text}\n`)
const { stdout: japaneseFonts } = await execResult('fc-list', [':lang=ja'])
if (japaneseFonts === '') await installPackages(['fonts-ipafont-gothic'], say)
await mkdir(folder, { recursive: true })
const objects: StoredObject[] = [...nodes, ...services, ...tasks]
await using dashboard = await SyntheticDashboard.over(objects, tasks)
const browser = await openBrowser()
try {
  for (const { name, options, hash, prepare } of shots) {
    const { page } = await newPage(browser, options)
    await page.goto(`${dashboard.url}/#token=${dashboard.token}`)
    await page.locator('.gauge').first().waitFor()
    await page.goto(`${dashboard.url}/#/${hash}`)
    await prepare?.(page)
    await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' })
    say(name)
    await page.context().close()
  }
} finally {
  await browser.close()
}
