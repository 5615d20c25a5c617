import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { LabHost, LabRecord } from './lab.ts'
import { runIn, tryIn } from './run.ts'

/** Makes the lab's hosts one cluster, by the same commands that a person would type. Hosts that are in it already stay. */
export async function formSwarm(lab: LabRecord, wait: Wait): Promise<void> {
  const managers = lab.hosts.filter((host) => host.role === 'manager')
  const workers = lab.hosts.filter((host) => host.role === 'worker')
  const [first, ...others] = managers
  if (first === undefined) return
  if ((await stateOf(lab, first)) === 'inactive') {
    wait.note(`${first.name}: docker swarm init`)
    await runIn(lab, first, ['docker', 'swarm', 'init', '--advertise-addr', first.address], {
      signal: wait.signal,
      timeoutMs: 60_000,
    })
  }
  const token = (role: string) =>
    runIn(lab, first, ['docker', 'swarm', 'join-token', '-q', role], { signal: wait.signal }).then((text) =>
      text.trim(),
    )
  const join = async (host: LabHost, secret: string) => {
    if ((await stateOf(lab, host)) !== 'inactive') return
    wait.note(`${host.name}: docker swarm join`)
    const command = [
      'docker',
      'swarm',
      'join',
      '--token',
      secret,
      '--advertise-addr',
      host.address,
      `${first.address}:2377`,
    ]
    await runIn(lab, host, command, { signal: wait.signal, timeoutMs: 60_000 })
  }
  if (others.length > 0) {
    const secret = await token('manager')
    for (const host of others) await join(host, secret)
  }
  if (workers.length > 0) {
    const secret = await token('worker')
    await Promise.all(workers.map((host) => join(host, secret)))
  }
  await allReady(lab, first, managers.length + workers.length, wait)
}

async function stateOf(lab: LabRecord, host: LabHost): Promise<string> {
  const result = await tryIn(lab, host, ['docker', 'info', '--format', '{{.Swarm.LocalNodeState}}'])
  return result.stdout.trim()
}

async function allReady(lab: LabRecord, manager: LabHost, count: number, wait: Wait): Promise<void> {
  for (;;) {
    const result = await tryIn(lab, manager, [
      'docker',
      'node',
      'ls',
      '--format',
      '{{.Hostname}} {{.Status}}',
    ])
    const ready = result.stdout.split('\n').filter((line) => line.endsWith(' Ready')).length
    if (ready >= count) return
    wait.note(`all nodes to be Ready: ${String(ready)} of ${String(count)} are`)
    await sleep(100, wait.signal)
  }
}
