import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { hash } from 'bcryptjs'
import { MureError } from '#lib/errors.ts'
import type { DaemonClient } from '../client.ts'
import { api, untilRunning } from './registry.ts'
import type { Registry } from './registry.ts'
import { registryLabel, registryServiceSpec, secretNameOf } from './service-spec.ts'
import type { RegistrySecret } from './service-spec.ts'

export interface CreateOptions {
  readonly name: string
  readonly port: number
  readonly image: string
  readonly reserve: number
  readonly node?: string
  readonly user?: string
  readonly tlsCertificate?: string
  readonly tlsKey?: string
}

const startTimeoutMs = 120_000
/** The registry takes no other kind of password; this costs it some 70 ms a login. */
const bcryptRounds = 10

/** Waits until it runs; `note` hears how far it is. */
export async function createRegistry(
  client: DaemonClient,
  options: CreateOptions,
  note: (text: string) => void,
): Promise<Registry> {
  const contents = await secretContents(options)
  const nodeId = await nodeFor(client, options.node)
  const made: string[] = []
  try {
    const secrets: Partial<Record<RegistrySecret, { id: string; name: string }>> = {}
    for (const [secret, content] of contents) {
      const name = secretNameOf(options.name, secret)
      const id = await createSecret(client, options.name, name, content)
      made.push(id)
      secrets[secret] = { id, name }
    }
    const spec = registryServiceSpec({ ...options, nodeId, secrets })
    await client.json({ method: 'POST', path: `${api}/services/create`, json: spec })
  } catch (error) {
    for (const id of made)
      await client.send({ method: 'DELETE', path: `${api}/secrets/${id}` }).catch(() => undefined)
    throw error
  }
  return untilRunning(client, options.name, { signal: AbortSignal.timeout(startTimeoutMs), note })
}

async function secretContents(options: CreateOptions): Promise<[RegistrySecret, string][]> {
  const { user, tlsCertificate, tlsKey } = options
  const contents: [RegistrySecret, string][] = []
  if ((tlsCertificate === undefined) !== (tlsKey === undefined))
    throw new MureError('invalid', '--tls-certificate and --tls-key go together')
  if (user !== undefined) {
    if (user === '' || user.includes(':')) throw new MureError('invalid', `"${user}" cannot be a user's name`)
    contents.push(['htpasswd', `${user}:${await hash(await passwordFromInput(), bcryptRounds)}\n`])
  }
  if (tlsCertificate !== undefined && tlsKey !== undefined)
    contents.push(
      ['certificate', await readFile(tlsCertificate, 'utf8')],
      ['key', await readFile(tlsKey, 'utf8')],
    )
  return contents
}

async function passwordFromInput(): Promise<string> {
  if (process.stdin.isTTY)
    throw new MureError(
      'invalid',
      'the password comes from the standard input: … | mure registry create --user …',
    )
  const password = (await text(process.stdin)).replace(/\r?\n$/, '')
  if (password === '') throw new MureError('invalid', 'the password on the standard input is empty')
  return password
}

/** The node that is named, or the one that is spoken to. */
async function nodeFor(client: DaemonClient, name: string | undefined): Promise<string> {
  if (name !== undefined)
    return (
      await client.json<{ ID: string }>({ method: 'GET', path: `${api}/nodes/${encodeURIComponent(name)}` })
    ).ID
  const info = await client.json<{ Swarm?: { NodeID?: string } }>({ method: 'GET', path: `${api}/info` })
  const own = info.Swarm?.NodeID ?? ''
  if (own === '') throw new MureError('precondition', 'this host is not part of a swarm: docker swarm init')
  return own
}

async function createSecret(
  client: DaemonClient,
  registry: string,
  name: string,
  content: string,
): Promise<string> {
  const json = {
    Name: name,
    Data: Buffer.from(content).toString('base64'),
    Labels: { [registryLabel]: registry },
  }
  return (await client.json<{ ID: string }>({ method: 'POST', path: `${api}/secrets/create`, json })).ID
}
