/**
 * The ingress's HAProxy beside the same HAProxy with a file written by hand, on the same thirty tasks, alternating,
 * median of 9; and how long thirty tasks take to be in it where three were.
 * Run: node bench/ingress.ts
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { exec } from '#lib/exec.ts'
import { ensurePackages } from '../src/cli/prerequisites.ts'
import { aRoute, LocalIngress, loopbacks, taskPort } from '../test/support/local-ingress.ts'
import { median, say, timeUntil } from './support/measure.ts'

const rounds = 9
const secondsEach = 2
const wantedRatio = 0.9
const wantedMs = 500
const handPort = 28_290
const addresses = loopbacks(30)

await ensurePackages(say, [{ name: 'wrk', program: 'wrk' }])
await using started = new AsyncDisposableStack()
const ingress = started.use(await LocalIngress.start(28_280))

// Tasks that cost as little as can be, so that the proxy is what is measured.
await startHaproxy('tasks', [
  'frontend tasks',
  ...addresses.map((address) => `  bind ${address}:${String(taskPort)}`),
  '  http-request return status 200 content-type text/plain string "hello\\n"',
])
await startHaproxy('by-hand', [
  'frontend http',
  `  bind *:${String(handPort)}`,
  '  log global',
  '  option httplog',
  '  option forwardfor',
  '  default_backend web',
  'backend web',
  '  balance leastconn',
  ...addresses.map((address, index) => `  server s${String(index)} ${address}:${String(taskPort)} check`),
])
await ingress.agent.configure(ingress.configuration([aRoute({ matches: [{ host: 'web.test', path: '/' }] })]))

const appeared: number[] = []
for (let round = 0; round < rounds; round++) {
  await ingress.serveBy(addresses.slice(0, 3))
  const pid = await ingress.pid()
  const before = performance.now()
  await ingress.serveBy(addresses)
  appeared.push(performance.now() - before)
  if ((await ingress.pid()) !== pid) throw new Error('HAProxy was reloaded')
}
say(
  `3 to 30 tasks, in HAProxy without a reload: ${median(appeared).toFixed(0)} ms (wanted: ${String(wantedMs)})`,
)

const rates: Record<'ingress' | 'by hand', number[]> = { ingress: [], 'by hand': [] }
for (let round = 0; round < rounds; round++) {
  rates.ingress.push(await requestsPerSecond(ingress.httpPort))
  rates['by hand'].push(await requestsPerSecond(handPort))
}
// Of pairs: what else the machine does comes and goes.
const ratio = median(rates.ingress.map((one, round) => one / (rates['by hand'][round] ?? Number.NaN)))
const rate = (way: keyof typeof rates) => `${(median(rates[way]) / 1000).toFixed(1)}k`
say(`requests a second: ingress ${rate('ingress')}, by hand ${rate('by hand')}, ratio ${ratio.toFixed(3)}`)
process.exitCode = ratio >= wantedRatio && median(appeared) <= wantedMs ? 0 : 1

async function startHaproxy(name: string, lines: readonly string[]): Promise<void> {
  const file = join(ingress.folder, `${name}.cfg`)
  const defaults = ['  mode http', '  timeout connect 2s', '  timeout client 60s', '  timeout server 60s']
  const head = ['global', '  log fd@3 format raw local0', 'defaults', ...defaults]
  await writeFile(file, `${[...head, ...lines].join('\n')}\n`)
  const log = openSync(join(ingress.folder, `${name}.log`), 'a')
  const child: ChildProcess = spawn('haproxy', ['-db', '-f', file], {
    stdio: ['ignore', 'ignore', 'ignore', log],
  })
  closeSync(log)
  const exited = once(child, 'exit')
  started.defer(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const port = name === 'tasks' ? taskPort : handPort
  await timeUntil(`the HAProxy of ${name}`, () => isOpen(name === 'tasks' ? '127.0.1.1' : '127.0.0.1', port))
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}

async function requestsPerSecond(port: number): Promise<number> {
  const url = `http://127.0.0.1:${String(port)}/`
  const text = await exec('wrk', ['-t1', '-c32', `-d${String(secondsEach)}s`, '-H', 'Host: web.test', url])
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(text)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1])
}
