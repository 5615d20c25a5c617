import { errorText, MureError } from '#lib/errors.ts'
import { execResult } from '#lib/exec.ts'
import type { Logger } from '#lib/logger.ts'
import { serveNames } from './server.ts'

type Serving = Parameters<typeof serveNames>[0]

/** A name server on the first address that is free for one: each daemon of a host has one of its own. */
export async function listenForNames(
  parts: Omit<Serving, 'address'> & { readonly logger: Logger },
): Promise<{ readonly address: string } & AsyncDisposable> {
  for (let last = 1; last < 255; last++) {
    const address = `169.254.53.${String(last)}`
    await execResult('ip', ['addr', 'add', `${address}/32`, 'dev', 'lo'])
    try {
      const server = await serveNames({ ...parts, address })
      return {
        address,
        async [Symbol.asyncDispose]() {
          await server[Symbol.asyncDispose]()
          await execResult('ip', ['addr', 'del', `${address}/32`, 'dev', 'lo'])
        },
      }
    } catch (error) {
      parts.logger.debug('another address for names is tried', { address, error: errorText(error) })
    }
  }
  throw new MureError('unavailable', 'no address is free for a name server on this host')
}
