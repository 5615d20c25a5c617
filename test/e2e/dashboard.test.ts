import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { forwardPorts } from '#lab/operations.ts'
import { newPage, openBrowser } from '../support/browser.ts'
import { TestCluster, webImage } from '../support/cluster.ts'

const name = 'e2edashboard'
let cluster: TestCluster
let browser: Browser
let url: string

before(async () => {
  cluster = await TestCluster.up({ name, managers: 1, workers: 1 })
  const [forward] = await forwardPorts(name, 'manager01', [{ port: 9000, hostPort: 9000 }], () => undefined)
  url = `http://localhost:${String(forward?.port)}`
  browser = await openBrowser()
  await cluster.docker('manager01', 'service', 'create', '-q', '-d', '--name', 'web', webImage)
})
after(async () => {
  await browser.close()
  await cluster[Symbol.asyncDispose]()
})

const mure = new URL('../../mure', import.meta.url).pathname
const dashboard = async (...args: string[]): Promise<string> =>
  (await cluster.run('manager01', mure, 'dashboard', ...args)).trim()

async function loggedIn(role: 'admin' | 'read-only' = 'admin'): Promise<{ page: Page; problems: string[] }> {
  const opened = await newPage(browser)
  await opened.page.goto(await dashboard('url', '--role', role, '--at', url))
  await opened.page.locator('.column', { hasText: 'manager01' }).waitFor()
  return opened
}

test('nothing is answered without a login, and the page says what it may load', async () => {
  for (const path of ['/api/session', '/api/stream', '/api/services/x/logs'])
    assert.equal((await fetch(url + path)).status, 401, path)
  const posted = await fetch(`${url}/api/services/x/scale`, { method: 'POST', body: '{}' })
  assert.equal(posted.status, 401)
  const page = await fetch(`${url}/`)
  const policy = page.headers.get('content-security-policy') ?? ''
  assert.match(policy, /default-src 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
  for (const path of ['/web/../package.json', '/web/state/cluster.test.ts', '/lib/none.mjs', '/etc/passwd'])
    assert.equal((await fetch(url + path)).status, 404, path)
})

test('the swarm is seen live, a service is scaled by a click, and the cookie is of no use to scripts', async () => {
  const { page, problems } = await loggedIn()
  await page.locator('.tile.running', { hasText: 'web.1' }).waitFor()
  await page.locator('.legend button', { hasText: 'web' }).click()
  await page.getByRole('button', { name: 'Scale' }).click()
  await page.getByLabel('Replicas').fill('3')
  await page.locator('dialog').getByRole('button', { name: 'Scale' }).click()
  await page.locator('.tile.running').nth(2).waitFor()
  await cluster.untilRunning('manager01', 'web', 3)
  await cluster.docker('manager01', 'service', 'scale', '-d', 'web=1')
  await page.locator('.tile.running').nth(1).waitFor({ state: 'detached' })
  assert.equal(await page.evaluate('document.cookie'), '')
  const [cookie] = await page.context().cookies()
  assert.ok(cookie?.httpOnly === true && cookie.sameSite === 'Strict')
  // The session is good, but the call does not come from the page.
  const status = await page.evaluate(async () => (await fetch('/api/logout', { method: 'POST' })).status)
  assert.equal(status, 403)
  assert.deepEqual(problems, [])
})

test('why a task does not run is said', async () => {
  const create = ['service', 'create', '-q', '-d', '--name', 'lost', '--constraint', 'node.labels.x==y']
  await cluster.docker('manager01', ...create, webImage)
  const { page } = await loggedIn()
  await page.locator('.column.waiting .tile', { hasText: 'lost.1' }).click()
  await page.locator('.panel .why', { hasText: 'no suitable node' }).waitFor()
  await page.locator('.panel').getByRole('button', { name: 'lost' }).click()
  await page.locator('.panel').getByRole('button', { name: 'Remove' }).click()
  await page.locator('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.locator('.column.waiting').waitFor({ state: 'detached' })
  assert.equal(await cluster.docker('manager01', 'service', 'ls', '-q', '--filter', 'name=lost'), '')
})

test('what stands in the way of the HTTP ingress is said at the service', async () => {
  await cluster.run('manager01', mure, 'ingress', 'enable')
  const label = ['--label', 'mure.ingress.host=shop.test']
  await cluster.docker('manager01', 'service', 'create', '-q', '-d', '--name', 'led', ...label, webImage)
  const { page, problems } = await loggedIn()
  await page.locator('.legend button', { hasText: 'led' }).click()
  await page.locator('.panel').getByRole('link', { name: 'shop.test' }).waitFor()
  const wrong = ['--label-add', 'mure.ingress.other.host=a b']
  await cluster.docker('manager01', 'service', 'update', '-q', '-d', ...wrong, 'led')
  await page
    .locator('.panel .notice', { hasText: 'mure.ingress.other.host: "a b" is not a host name' })
    .waitFor()
  await cluster.docker('manager01', 'service', 'rm', 'led')
  await cluster.run('manager01', mure, 'ingress', 'disable')
  assert.deepEqual(problems, [])
})

test('logs are followed, and a shell is typed into, of a container on another node', async () => {
  const create = ['service', 'create', '-q', '-d', '--name', 'talk', '--constraint', 'node.role==worker']
  const script = 'i=0; while :; do i=$((i+1)); echo "line $i"; sleep 1; done'
  await cluster.docker('manager01', ...create, 'registry:5000/busybox:latest', 'sh', '-c', script)
  const { page, problems } = await loggedIn()
  await page.locator('.tile.running', { hasText: 'talk.1' }).click()
  await page.getByRole('tab', { name: 'Logs' }).click()
  await page.locator('.logs-lines p', { hasText: 'line 3' }).waitFor()
  await page.getByRole('tab', { name: 'Terminal' }).click()
  const screen = page.locator('.terminal .xterm-rows')
  await screen.filter({ hasText: '#' }).waitFor()
  await page.keyboard.type('echo $((6 * 7)) in $(hostname)\n')
  const container = await cluster.docker('worker01', 'ps', '-q', '--filter', 'name=talk')
  await screen.filter({ hasText: `42 in ${container}` }).waitFor()
  await page.keyboard.type('exit\n')
  await page.getByText('The terminal is closed.').waitFor()
  assert.deepEqual(problems, [])
})

test('a compose file is checked with its lines, previewed, deployed and removed', async () => {
  const { page } = await loggedIn()
  await page.getByRole('link', { name: 'Stacks' }).click()
  await page.getByRole('button', { name: 'Deploy' }).click()
  await page.getByLabel('Name of the stack').fill('shop')
  const file = (replicas: string) =>
    `version: "3.8"\nservices:\n  front:\n    image: ${webImage}\n    deploy:\n      replicas: ${replicas}\n`
  const area = page.getByRole('textbox', { name: 'Compose file' })
  await area.fill(file('many'))
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.locator('.problems li', { hasText: 'line 6' }).filter({ hasText: 'must be a integer' }).waitFor()
  // What only the cluster knows is told whole as well.
  const strange =
    '    networks: [ghost]\n    secrets:\n      - absent\n' +
    'networks:\n  ghost:\n    external: true\nsecrets:\n  absent:\n    external: true\n'
  await area.fill(file('2') + strange)
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.locator('.problems li', { hasText: 'ghost' }).filter({ hasText: 'line 7' }).waitFor()
  await page.locator('.problems li', { hasText: 'absent' }).filter({ hasText: 'line 9' }).waitFor()
  await area.fill(file('2'))
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.locator('.preview li', { hasText: 'shop_front' }).first().waitFor()
  assert.equal(await cluster.docker('manager01', 'stack', 'ls', '--format', '{{.Name}}'), '')
  await page.locator('.deploy').getByRole('button', { name: 'Deploy' }).click()
  await page.locator('.card', { hasText: 'shop' }).locator('.badge.good', { hasText: '2 / 2' }).waitFor()
  await page.getByRole('button', { name: 'Remove shop' }).click()
  await page.locator('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.locator('.card', { hasText: 'shop' }).waitFor({ state: 'detached' })
})

test('use of processors and memory is drawn, printed and told to Prometheus', async () => {
  const { page } = await loggedIn()
  await page.locator('.column', { hasText: 'manager01' }).locator('.gauge').first().waitFor()
  await page.locator('.column-name', { hasText: 'worker01' }).click()
  await page.getByRole('tab', { name: 'Usage' }).click()
  await page.locator('.plot .plot-line').first().waitFor({ state: 'attached' })
  await cluster.until('a task to be in mure top', async () => {
    const text = await cluster.run('manager01', mure, 'top', '--once')
    return (/^worker01 .*%/m.test(text) && /^web\.1 .*\d+\.\d+M?/m.test(text)) || text
  })
  for (const host of ['manager01', 'worker01']) {
    const text = await cluster.run(host, 'curl', '-sS', '-m', '5', 'http://127.0.0.1:9090/metrics')
    assert.match(text, /^# TYPE mure_node_cpu_cores gauge\nmure_node_cpu_cores [\d.]+$/m)
    assert.equal(
      /^mure_nodes\{role="manager",state="ready",availability="active"\} 1$/m.test(text),
      host === 'manager01',
    )
  }
  const id = await cluster.docker('worker01', 'ps', '-q', '--filter', 'name=talk')
  assert.match(await cluster.docker('manager01', 'stats', '--no-stream', id), new RegExp(id))
})

test('who may only look is offered nothing else, and refused when asking by other means', async () => {
  const { page } = await loggedIn('read-only')
  await page.locator('.legend button', { hasText: 'web' }).click()
  await page.locator('.panel h2', { hasText: 'web' }).waitFor()
  assert.equal(await page.locator('.panel .actions').count(), 0)
  const refused = await page.evaluate(async () => {
    const { csrf } = (await (await fetch('/api/session')).json()) as { csrf: string }
    const answer = await fetch('/api/services/x/scale', {
      method: 'POST',
      headers: { 'X-Mure-Csrf': csrf, 'Content-Type': 'application/json' },
      body: '{"replicas": 9}',
    })
    return { status: answer.status, text: await answer.text() }
  })
  assert.equal(refused.status, 403)
  assert.match(refused.text, /may only look/)
})

test('a wrong token is refused, and guessing gets slow; revoked tokens are void', async () => {
  const token = await dashboard('token', '--ttl', '5m')
  const { page } = await newPage(browser)
  await page.goto(url)
  await page.getByLabel('Token').fill(`${token}x`)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor()
  const guess = () =>
    fetch(`${url}/api/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"token": "guess"}',
    })
  const statuses: number[] = []
  for (let i = 0; i < 5; i++) statuses.push((await guess()).status)
  assert.deepEqual(statuses, [401, 401, 401, 401, 429])
  assert.ok(Number((await guess()).headers.get('retry-after')) > 0)
  const { page: open } = await loggedInAfterPause()
  await dashboard('revoke')
  await open.reload()
  await open.getByLabel('Token').waitFor()
})

/** All tests come from one address, which has to wait for having guessed. */
async function loggedInAfterPause(): Promise<{ page: Page }> {
  const token = await dashboard('token')
  const { page } = await newPage(browser)
  await page.goto(url)
  await page.getByLabel('Token').fill(token)
  await cluster.until('the pause to be over', async () => {
    // Gone as soon as an attempt succeeds, which may be between two looks.
    if ((await page.locator('.column').count()) > 0) return true
    const button = page.getByRole('button', { name: 'Log in' })
    if ((await button.count()) > 0) await button.click({ timeout: 1_000 })
    return false
  })
  return { page }
}
