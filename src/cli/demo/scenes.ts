import { join } from 'node:path'
import { MureError } from '#lib/errors.ts'
import { forwardPorts, stopHost } from '#lab/operations.ts'
import { root } from '../tool.ts'
import type { Stage } from './stage.ts'
import { pageOf, statusOf, Visitors } from './visitors.ts'

export const labName = 'demo'

const workshop = join(root, 'examples', 'workshop')
const images = ['api', 'nginx', 'visualizer'] as const
const imageName = (name: string) => `registry:5000/example/${name}`
const stackFile = (name: string) => join(workshop, 'stack', `${name}.yml`)

export async function showNodes(stage: Stage): Promise<void> {
  await stage.step('The hosts are one cluster')
  await stage.docker('node', 'ls')
}

export async function buildImages(stage: Stage): Promise<void> {
  await stage.step('Images are built and pushed to the registry')
  for (const name of images) {
    await stage.build(imageName(name), join(workshop, name))
    await stage.docker('push', '--quiet', imageName(name))
  }
}

export async function scaleService(stage: Stage): Promise<void> {
  await stage.step('A service, scaled from 1 to 6 over four hosts')
  if ((await stage.ask('service', 'ls', '--quiet', '--filter', 'name=hello')) !== '')
    await stage.docker('service', 'rm', 'hello')
  await stage.docker('service', 'create', '--detach', '--quiet', '--name', 'hello', imageName('api'))
  await stage.untilRunning('hello', 1)
  await stage.docker('service', 'scale', '--detach', 'hello=6')
  await stage.untilRunning('hello', 6)
  await stage.docker('service', 'ps', '--filter', 'desired-state=running', 'hello')
}

export async function deployStack(stage: Stage): Promise<void> {
  await stage.step('A stack: nginx in front of an API, on an overlay network, on workers only')
  const known = await stage.ask('network', 'ls', '--quiet', '--filter', 'name=swtest')
  if (known === '') await stage.docker('network', 'create', '--driver', 'overlay', '--attachable', 'swtest')
  await stage.docker('stack', 'deploy', '-c', stackFile('webapi'), 'swtest')
  for (const service of ['swtest_api', 'swtest_nginx']) await stage.untilRunning(service, 3)
  await stage.docker('stack', 'services', 'swtest')
}

/** Where this machine's browser finds things. */
export interface Addresses {
  readonly application: string
  readonly visualizer: string
  /** With what logs in. */
  readonly dashboard: string
}

export async function openDoors(stage: Stage): Promise<Addresses> {
  await stage.step('The ingress lets people in; a visualizer sees the cluster through a mounted socket')
  await stage.mure('ingress', 'enable')
  await stage.docker('stack', 'deploy', '-c', stackFile('visualizer'), 'visualizer')
  const application = await forwarded(stage, 8000, 80)
  const visualizer = await forwarded(stage, 9001, 9001)
  const dashboard = await forwarded(stage, 9000, 9000)
  await stage.until('the application to answer', async () => (await statusOf(application)) === 200)
  await stage.until(
    'the visualizer to answer',
    async () => (await statusOf(`${visualizer}api/nodes`)) === 200,
  )
  await stage.until('the dashboard to answer', async () => (await statusOf(dashboard)) === 200)
  const login = await stage.askMure('dashboard', 'url', '--at', dashboard)
  return { application, visualizer, dashboard: login }
}

async function forwarded(stage: Stage, port: number, hostPort: number): Promise<string> {
  stage.say(`$ mure lab forward --name ${labName} manager01 ${String(port)}:${String(hostPort)}`)
  const [made] = await forwardPorts(labName, 'manager01', [{ port, hostPort }], () => undefined)
  if (made === undefined) throw new MureError('internal', `port ${String(port)} was not led anywhere`)
  return `http://localhost:${String(made.port)}/`
}

/** Enough to be under way everywhere when the power goes. */
const visitorCount = 4
const answersBefore = 100

export async function cutPower(stage: Stage, addresses: Addresses): Promise<void> {
  await stage.step("A worker's power is cut while requests go on")
  const visitors = new Visitors(addresses.application, visitorCount)
  const victim = 'worker01'
  try {
    await stage.until('the first answers', () => Promise.resolve(visitors.tally.answered > answersBefore))
    stage.say(`$ mure lab stop --name ${labName} ${victim}`)
    const started = performance.now()
    await stopHost(labName, victim, () => undefined)
    await stage.until(`${victim} to be Down`, async () => {
      const state = await stage.ask('node', 'inspect', '--format', '{{.Status.State}}', victim)
      return state === 'down'
    })
    const down = performance.now()
    for (const service of ['swtest_api', 'swtest_nginx']) await stage.untilRunning(service, 3, victim)
    const seconds = (until: number) => ((until - started) / 1000).toFixed(1)
    const recovered = seconds(performance.now())
    stage.say(
      `${victim} was known to be down after ${seconds(down)} s, and 3 and 3 ran again after ${recovered} s`,
    )
  } finally {
    await visitors[Symbol.asyncDispose]()
  }
  const { answered, failed, slowestMs } = visitors.tally
  const slowest = (slowestMs / 1000).toFixed(1)
  stage.say(
    `Requests meanwhile: ${String(answered)} answered, ${String(failed)} failed; the slowest took ${slowest} s`,
  )
  await stage.docker('node', 'ls')
  await stage.docker('stack', 'services', 'swtest')
  await stage.docker('stack', 'ps', '--filter', 'desired-state=running', 'swtest')
}

export async function ask(stage: Stage, addresses: Addresses): Promise<void> {
  await stage.step('The API, through the ingress')
  stage.say(`$ curl ${addresses.application}`)
  stage.say((await pageOf(addresses.application)).text.trimEnd())
}
