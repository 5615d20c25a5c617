import { setTimeout as delay } from 'node:timers/promises'
import { readText } from '#engine/transport.ts'
import { MureError } from '#lib/errors.ts'
import type { DaemonClient } from '../client.ts'
import { registryLabel } from './service-spec.ts'

export const api = '/v1.41'

interface ServiceAnswer {
  readonly ID: string
  readonly Spec: {
    readonly Name: string
    readonly TaskTemplate: { readonly ContainerSpec: { readonly Env?: readonly string[] } }
  }
  readonly Endpoint?: { readonly Ports?: readonly { readonly PublishedPort: number }[] }
}

interface TaskAnswer {
  readonly NodeID?: string
  readonly DesiredState: string
  readonly Status: {
    readonly Timestamp: string
    readonly State: string
    readonly Err?: string
    readonly ContainerStatus?: { readonly ContainerID?: string }
  }
}

/** A registry of the cluster as it is now. */
export interface Registry {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly node: string
  readonly state: string
  /** What its task waits for, or what the one before failed with; '' when it runs. */
  readonly error: string
  /** '' while it does not run. */
  readonly containerId: string
}

const filters = (wanted: Readonly<Record<string, readonly string[]>>) => ({ filters: JSON.stringify(wanted) })

export async function listRegistries(client: DaemonClient): Promise<Registry[]> {
  const services = await client.json<ServiceAnswer[]>({
    method: 'GET',
    path: `${api}/services`,
    query: filters({ label: [registryLabel] }),
  })
  return Promise.all(services.map((service) => describe(client, service)))
}

/** The named one; without a name the only one. */
export async function findRegistry(client: DaemonClient, name: string | undefined): Promise<Registry> {
  const all = await listRegistries(client)
  const found = name === undefined ? all : all.filter((one) => one.name === name)
  const [only, second] = found
  if (only === undefined) {
    const what = name === undefined ? 'there is no registry' : `there is no registry "${name}"`
    throw new MureError('not-found', `${what} (make one with: mure registry create)`)
  }
  if (second === undefined) return only
  throw new MureError('invalid', `which one? There are ${all.map((one) => one.name).join(', ')}`)
}

async function describe(client: DaemonClient, service: ServiceAnswer): Promise<Registry> {
  const tasks = await client.json<TaskAnswer[]>({
    method: 'GET',
    path: `${api}/tasks`,
    query: filters({ service: [service.ID] }),
  })
  const wanted = tasks.filter((one) => ['running', 'ready'].includes(one.DesiredState))
  const task = wanted.find((one) => one.Status.State === 'running') ?? wanted[0]
  const newest = tasks.toSorted((a, b) => b.Status.Timestamp.localeCompare(a.Status.Timestamp))
  const port = service.Endpoint?.Ports?.[0]?.PublishedPort
  return {
    id: service.ID,
    name: service.Spec.Name,
    address: port === undefined ? '' : `localhost:${String(port)}`,
    node: task?.NodeID === undefined || task.NodeID === '' ? '' : await nodeName(client, task.NodeID),
    state: task?.Status.State ?? 'pending',
    error:
      task?.Status.State === 'running' ? '' : (newest.find(({ Status }) => Status.Err)?.Status.Err ?? ''),
    containerId: task?.Status.State === 'running' ? (task.Status.ContainerStatus?.ContainerID ?? '') : '',
  }
}

async function nodeName(client: DaemonClient, id: string): Promise<string> {
  const node = await client.json<{ Description?: { Hostname?: string } }>({
    method: 'GET',
    path: `${api}/nodes/${id}`,
  })
  return node.Description?.Hostname ?? id
}

/** Until its task runs. Notes how far it is whenever that changes; throws why it does not run in the end. */
export async function untilRunning(
  client: DaemonClient,
  name: string,
  { signal, note }: { readonly signal: AbortSignal; readonly note: (text: string) => void },
): Promise<Registry> {
  let last: Registry | undefined
  let noted = ''
  try {
    for (;;) {
      last = await findRegistry(client, name)
      if (last.state === 'running') return last
      const text = progressOf(last)
      if (text !== noted) note(text)
      noted = text
      await delay(200, undefined, { signal })
    }
  } catch (error) {
    if (!signal.aborted) throw error
    const why = last === undefined || last.error === '' ? '' : `: ${last.error}`
    throw new MureError(
      'timeout',
      `the registry does not run yet, it is ${last?.state ?? 'unknown'}${why} (see: docker service ps --no-trunc ${name})`,
      { cause: error },
    )
  }
}

const progressOf = ({ name, node, state, error }: Registry): string =>
  `${name}: ${state}${node === '' ? '' : ` on ${node}`}${error === '' ? '' : ` (${error})`}`

/** Runs a command in the registry's container, wherever that is, and gives what it said. */
export async function runInside(
  client: DaemonClient,
  registry: Registry,
  command: readonly string[],
): Promise<string> {
  if (registry.containerId === '')
    throw new MureError('unavailable', `registry "${registry.name}" does not run now: ${registry.state}`)
  const { Id } = await client.json<{ Id: string }>({
    method: 'POST',
    path: `${api}/containers/${registry.containerId}/exec`,
    // A terminal's output is not cut into frames.
    json: { AttachStdout: true, AttachStderr: true, Tty: true, Cmd: command },
  })
  const output = await readText(
    await client.stream({
      method: 'POST',
      path: `${api}/exec/${Id}/start`,
      json: { Detach: false, Tty: true },
    }),
  )
  const { ExitCode } = await client.json<{ ExitCode: number | null }>({
    method: 'GET',
    path: `${api}/exec/${Id}/json`,
  })
  if (ExitCode === 0) return output.replaceAll('\r\n', '\n')
  throw new MureError(
    'internal',
    `${command.join(' ')} failed in registry "${registry.name}": ${output.trim()}`,
  )
}
