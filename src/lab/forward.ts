import { writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { exec } from '#lib/exec.ts'
import { MureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import { holdLock } from './lock.ts'
import { hostMark, labMark, markedProcesses } from './processes.ts'
import { labDir, wireOf, writeLab } from './record.ts'
import type { Forward, LabRecord } from './record.ts'

/** No host can have this name. */
const forwarder = '.forwarder'

/**
 * Leads ports of this machine's loopback into the lab, those of before included; a port that is taken becomes the
 * next free one. HAProxy does it: one process that listens in one network namespace and connects in another, so
 * neither routes nor packet filters of this machine are touched. Connections that are open go on.
 */
export async function forward(lab: LabRecord, wanted: readonly Forward[], wait: Wait): Promise<LabRecord> {
  // Of all labs together: two that look for a free port at once would find the same.
  await using _lock = await holdLock('.ports', wait, () => undefined)
  const running = await markedProcesses(labMark(lab.name), hostMark(forwarder))
  const added = wanted.filter(({ to }) => lab.forwards.every((other) => other.to !== to))
  if (running.length > 0 && added.length === 0) return lab
  const forwards: Forward[] = running.length > 0 ? [...lab.forwards] : []
  for (const { port, to } of running.length > 0 ? added : [...lab.forwards, ...added])
    forwards.push({ port: await freePort(port, forwards), to })
  const next = { ...lab, forwards }
  await writeLab(next)
  const config = join(labDir(lab.name), 'forward.cfg')
  await writeFile(config, renderForwarder(wireOf(lab.name), forwards))
  const handOver = running.length > 0 ? ['-sf', ...running.map(String)] : []
  // -D: back once it listens, or with the reason why it cannot.
  await exec('haproxy', ['-D', '-q', '-f', config, ...handOver], {
    env: { PATH: process.env['PATH'], MURE_LAB: lab.name, MURE_LAB_HOST: forwarder },
  })
  return next
}

export function renderForwarder(namespace: string, forwards: readonly Forward[]): string {
  const listeners = forwards.map(
    ({ port, to }) =>
      `listen p${String(port)}\n  bind 127.0.0.1:${String(port)}\n  server lab ${to} namespace ${namespace}\n`,
  )
  // Long silences are normal: a log that is followed, a dashboard that is left open.
  const limits = 'timeout connect 5s\n  timeout client 24h\n  timeout server 24h'
  return `global\n  maxconn 4096\ndefaults\n  mode tcp\n  ${limits}\n${listeners.join('')}`
}

async function freePort(first: number, taken: readonly Forward[]): Promise<number> {
  for (let port = first; port < 65_536; port++) {
    if (taken.some((other) => other.port === port)) continue
    const server = createServer().listen(port, '127.0.0.1')
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    server.close()
    if (free) return port
  }
  throw new MureError('exhausted', `no port of this machine is free from ${String(first)} on`)
}
