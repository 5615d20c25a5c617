import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { labDir, wireOf, writeLab } from './lab.ts'
import type { LabRecord } from './lab.ts'

/**
 * Leads ports of this machine's loopback into the lab. HAProxy does it, as it can listen in one network namespace
 * and connect in another.
 */
export async function forward(
  lab: LabRecord,
  wanted: readonly { port: number; to: string }[],
): Promise<LabRecord> {
  const kept = lab.forwards.filter(({ to }) => wanted.every((other) => other.to !== to))
  const chosen: { port: number; to: string }[] = [...kept]
  for (const { port, to } of wanted) {
    const before = lab.forwards.find((other) => other.to === to)
    chosen.push({ port: before?.port ?? (await freeFrom(port)), to })
  }
  const next: LabRecord = { ...lab, forwards: chosen }
  await writeLab(next)
  await stopForwarding(lab.name)
  const config = join(labDir(lab.name), 'forward.cfg')
  await writeFile(config, render(next))
  const child = spawn('haproxy', ['-f', config, '-db', '-q'], { detached: true, stdio: 'ignore' })
  child.unref()
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  await writeFile(pidPath(lab.name), String(child.pid))
  return next
}

export async function stopForwarding(lab: string): Promise<void> {
  const pid = Number(await readFile(pidPath(lab), 'utf8').catch(() => ''))
  if (!(pid > 0)) return
  const command = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '')
  if (command.includes(join(labDir(lab), 'forward.cfg'))) process.kill(pid, 'SIGTERM')
}

export async function isForwarding(lab: string): Promise<boolean> {
  const pid = Number(await readFile(pidPath(lab), 'utf8').catch(() => ''))
  const command = pid > 0 ? await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '') : ''
  return command.includes(join(labDir(lab), 'forward.cfg'))
}

const pidPath = (lab: string): string => join(labDir(lab), 'forward.pid')

function render(lab: LabRecord): string {
  const sections = lab.forwards.map(
    ({ port, to }) =>
      `listen p${String(port)}\n  bind 127.0.0.1:${String(port)}\n  server s ${to} namespace ${wireOf(lab.name)}\n`,
  )
  return `global\n  maxconn 4096\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n${sections.join('')}`
}

/** The port itself, or the next one that nobody listens at. */
async function freeFrom(port: number): Promise<number> {
  for (let candidate = port; ; candidate++) {
    if (await answers(candidate)) continue
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer()
      server.once('error', () => {
        resolve(false)
      })
      server.listen(candidate, '127.0.0.1', () => {
        server.close(() => {
          resolve(true)
        })
      })
    })
    if (free) return candidate
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
