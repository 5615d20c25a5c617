import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { MureError } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { logFile } from './host-files.ts'
import { hostPid } from './host.ts'
import type { LabHost, LabRecord } from './record.ts'

/** Where a host's own engine listens, and where docker clients in it look. The same on a plain Docker host. */
export const engineSocket = (host: LabHost): string =>
  host.kind === 'mure' ? '/run/mure/engine.sock' : '/run/docker.sock'
export const apiSocket = '/run/docker.sock'

const probeTimeoutMs = 2_000

/** What a host says on one of its sockets, or undefined while nothing answers there. */
export async function ask(
  lab: LabRecord,
  host: LabHost,
  socket: string,
  path: string,
): Promise<{ headers: Readonly<Record<string, string | string[] | undefined>>; body: string } | undefined> {
  const pid = await hostPid(lab, host)
  if (pid === undefined) return undefined
  return new Promise((resolve) => {
    const none = () => {
      resolve(undefined)
    }
    // A unix socket is a file: /proc shows it in the host's own mounts, without entering the host.
    const socketPath = `/proc/${String(pid)}/root${socket}`
    const outgoing = request({ socketPath, path, timeout: probeTimeoutMs }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('error', none)
      response.on('end', () => {
        resolve(response.statusCode === 200 ? { headers: response.headers, body } : undefined)
      })
    })
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', none)
    outgoing.end()
  })
}

/** A daemon that has been started anew so often, and has not answered in between, will not. */
const maxRestarts = 5

/** Until the Docker API answers there; an error, with its reason, as soon as the daemon behind it proves unable to. */
export async function untilAnswers(lab: LabRecord, host: LabHost, socket: string, wait: Wait): Promise<void> {
  const daemon = host.kind === 'mure' && socket === apiSocket ? 'mured' : 'dockerd'
  const before = await startsOf(lab, host, daemon)
  while ((await ask(lab, host, socket, '/_ping')) === undefined) {
    wait.note(`${host.name}: ${daemon} to answer at ${socket}`)
    if ((await startsOf(lab, host, daemon)) > before + maxRestarts) {
      const log = await readFile(logFile(lab.name, host.name, daemon), 'utf8')
      throw new MureError('unavailable', `${host.name}: ${daemon} does not stay up: ${lastLine(log)}`)
    }
    await sleep(50, wait.signal)
  }
}

async function startsOf(lab: LabRecord, host: LabHost, daemon: string): Promise<number> {
  const pid = await hostPid(lab, host)
  return Number(await readFile(`/proc/${String(pid)}/root/run/${daemon}.starts`, 'utf8').catch(() => '0'))
}

const lastLine = (log: string): string => log.trim().split('\n').at(-1) ?? ''

/** What a host is in its swarm; `manager` and `worker` are Docker's `active`. */
export type SwarmState = 'inactive' | 'pending' | 'error' | 'locked' | 'manager' | 'worker'

interface InfoAnswer {
  readonly Swarm?: { readonly LocalNodeState?: string; readonly ControlAvailable?: boolean }
}

/** Undefined while the host doesn't answer. */
export async function swarmState(lab: LabRecord, host: LabHost): Promise<SwarmState | undefined> {
  // Not /_ping, whose header for it is younger than Debian's engine.
  const answer = await ask(lab, host, apiSocket, '/info')
  if (answer === undefined) return undefined
  const { Swarm: swarm } = JSON.parse(answer.body) as InfoAnswer
  const state = swarm?.LocalNodeState ?? 'inactive'
  if (state === 'active') return swarm?.ControlAvailable === true ? 'manager' : 'worker'
  return state === 'pending' || state === 'error' || state === 'locked' ? state : 'inactive'
}
