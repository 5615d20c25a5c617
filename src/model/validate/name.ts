import type { Problem } from './problem.ts'

const limits = { service: 63, secret: 64, config: 64, network: 63 } as const
const fileShape = /^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$/
const dnsShape = /^[a-zA-Z0-9](?:[-_]*[a-zA-Z0-9])*$/

/** Names become DNS names and file names; the rule and its words are swarmkit's. */
export function nameProblem(kind: keyof typeof limits, name: string): Problem[] {
  if (name === '')
    return [
      {
        path: 'Name',
        message:
          kind === 'secret' || kind === 'config' ? 'name must be provided' : 'meta: name must be provided',
      },
    ]
  if (kind === 'service' && name.length > limits.service)
    return [{ path: 'Name', message: 'name must be 63 characters or fewer' }]
  if (name.length > limits[kind]) {
    const what =
      kind === 'network'
        ? `name must be ${String(limits.network)} characters or fewer`
        : `invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]`
    return [{ path: 'Name', message: what }]
  }
  const isFile = kind === 'secret' || kind === 'config'
  if ((isFile ? fileShape : dnsShape).test(name)) return []
  return [
    {
      path: 'Name',
      message: isFile
        ? 'invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]'
        : 'name must be valid as a DNS name component',
    },
  ]
}
