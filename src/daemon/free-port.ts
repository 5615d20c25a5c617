import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

/** The wanted port if it is free at that address, else any that is. */
export async function freePort(host: string, wanted: number): Promise<number> {
  return (await tryPort(host, wanted)) ?? (await tryPort(host, 0)) ?? wanted
}

function tryPort(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(undefined)
    })
    server.listen(port, host, () => {
      const chosen = (server.address() as AddressInfo).port
      server.close(() => {
        resolve(chosen)
      })
    })
  })
}
