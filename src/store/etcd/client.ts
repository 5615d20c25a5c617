import { credentials, loadPackageDefinition, status } from '@grpc/grpc-js'
import type {
  ClientDuplexStream,
  ClientReadableStream,
  ServiceClientConstructor,
  ServiceError,
} from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import { MureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import type { WatchResponse } from './messages.ts'
import { schema } from './schema.ts'

const definition = loadPackageDefinition(
  fromJSON(schema as unknown as Parameters<typeof fromJSON>[0], {
    keepCase: true,
    longs: String,
    defaults: true,
  }),
)
const services = definition['etcdserverpb'] as unknown as Record<ServiceName, ServiceClientConstructor>

type ServiceName = 'KV' | 'Watch' | 'Lease' | 'Cluster' | 'Maintenance'
type Unary = (
  request: unknown,
  options: { deadline: number },
  callback: (error: ServiceError | null, response: unknown) => void,
) => { cancel(): void }

/** No single call of ours takes longer on a store that has a quorum. */
const callTimeoutMs = 10_000
/** A re-list hands over everything at once. */
const maxMessageBytes = 512 * 1024 * 1024

/** Calls to one etcd member over its unix socket (`unix:/path`). */
export class EtcdClient implements Disposable {
  readonly #clients: Record<ServiceName, InstanceType<ServiceClientConstructor>>

  constructor(target: string) {
    const make = (name: ServiceName) =>
      new services[name](target, credentials.createInsecure(), {
        'grpc.max_receive_message_length': maxMessageBytes,
        'grpc.max_send_message_length': maxMessageBytes,
        'grpc.initial_reconnect_backoff_ms': 50,
        'grpc.min_reconnect_backoff_ms': 50,
        'grpc.max_reconnect_backoff_ms': 500,
        'grpc.default_authority': 'localhost',
      })
    this.#clients = {
      KV: make('KV'),
      Watch: make('Watch'),
      Lease: make('Lease'),
      Cluster: make('Cluster'),
      Maintenance: make('Maintenance'),
    }
  }

  call<T>(
    service: ServiceName,
    method: string,
    request: unknown,
    wait: Wait,
    timeoutMs = callTimeoutMs,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const client = this.#clients[service] as unknown as Record<string, Unary>
      const unary = client[method]
      if (unary === undefined) throw new MureError('internal', `etcd has no ${service}.${method}`)
      const call = unary.call(client, request, { deadline: Date.now() + timeoutMs }, (error, response) => {
        wait.signal.removeEventListener('abort', onAbort)
        if (error === null) resolve(response as T)
        else reject(wait.signal.aborted ? abortReason(wait.signal) : fromGrpc(error))
      })
      const onAbort = () => {
        call.cancel()
      }
      wait.signal.addEventListener('abort', onAbort, { once: true })
      if (wait.signal.aborted) onAbort()
    })
  }

  watch(): ClientDuplexStream<unknown, WatchResponse> {
    const client = this.#clients.Watch as unknown as { Watch(): ClientDuplexStream<unknown, WatchResponse> }
    return client.Watch()
  }

  keepAlive(): ClientDuplexStream<{ ID: string }, { ID: string; TTL: string }> {
    const client = this.#clients.Lease as unknown as {
      LeaseKeepAlive(): ClientDuplexStream<{ ID: string }, { ID: string; TTL: string }>
    }
    return client.LeaseKeepAlive()
  }

  snapshot(): ClientReadableStream<{ blob: Buffer }> {
    const client = this.#clients.Maintenance as unknown as {
      Snapshot(request: object): ClientReadableStream<{ blob: Buffer }>
    }
    return client.Snapshot({})
  }

  [Symbol.dispose](): void {
    for (const client of Object.values(this.#clients)) client.close()
  }
}

function abortReason(signal: AbortSignal): MureError {
  return signal.reason instanceof MureError
    ? signal.reason
    : new MureError('cancelled', 'the call was cancelled')
}

const isLost = (code: status): boolean =>
  code === status.DEADLINE_EXCEEDED || code === status.UNAVAILABLE || code === status.CANCELLED

/** etcd's refusals, by gRPC status and, where that says too little, by its own words. */
function fromGrpc(error: ServiceError): MureError {
  const text = error.details
  if (/database space exceeded/.test(text))
    return new MureError('exhausted', 'the store is full: free disk space on the managers', { cause: error })
  if (isLost(error.code) || /deadline exceeded|timed out|leader changed|no leader/.test(text)) {
    return new MureError(
      'unavailable',
      "The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.",
      { cause: error, details: { quorum: false, etcd: text } },
    )
  }
  if (error.code === status.NOT_FOUND) return new MureError('not-found', text, { cause: error })
  if (error.code === status.FAILED_PRECONDITION)
    return new MureError('precondition', text, { cause: error, details: { etcd: text } })
  if (error.code === status.OUT_OF_RANGE)
    return new MureError('not-found', text, { cause: error, details: { compacted: true } })
  if (error.code === status.INVALID_ARGUMENT) return new MureError('invalid', text, { cause: error })
  return new MureError('internal', `etcd: ${text}`, { cause: error })
}
