import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import type { createRequest } from './request.ts'

type Request = Awaited<ReturnType<typeof createRequest>>

/**
 * A certificate request made in a thread that ends with it: the library behind it takes a quarter of a worker's
 * memory, and is needed once in months.
 */
export async function createRequestApart(): Promise<Request> {
  const thread = new Worker(new URL(import.meta.url))
  // An error of the thread rejects this.
  const [request] = (await once(thread, 'message')) as [Request]
  await thread.terminate()
  return request
}

if (!isMainThread && parentPort !== null) {
  const requests = await import('./request.ts')
  parentPort.postMessage(await requests.createRequest())
}
