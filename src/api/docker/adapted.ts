import type { Engine } from '#engine/engine.ts'
import { readText } from '#engine/transport.ts'
import { defined } from '#lib/defined.ts'
import { parseJson, stringifyJson } from '#lib/lossless-json.ts'
import type { ApiRequest } from '../http/request.ts'
import type { ApiResponse } from '../http/response.ts'
import { compose } from './adapt/adaptor.ts'
import type { AdaptedCall, Adaptation, EngineAnswer } from './adapt/adaptor.ts'
import { inVersionOf } from './versions.ts'

/** Makes a call in the engine's own version, through the adaptors that it needs. `body`: if it has been read already. */
export async function callAdapted(
  request: ApiRequest,
  adaptation: Adaptation,
  behind: { engine: Engine; apiVersion: string },
  body?: unknown,
): Promise<ApiResponse> {
  const ask = async (method: string, path: string, json?: unknown): Promise<EngineAnswer> => {
    const response = await behind.engine.raw({
      method,
      path: `/v${behind.apiVersion}${path}`,
      signal: request.signal,
      ...(json === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: stringifyJson(json) }),
    })
    const text = await readText(response)
    const answer = text === '' ? undefined : parseJson(text)
    return {
      status: response.statusCode ?? 500,
      json: answer,
      ...defined({ location: response.headers.location }),
    }
  }
  const readsBody = adaptation.adaptors.some((adaptor) => adaptor.readsBody === true)
  const call: AdaptedCall = {
    params: adaptation.params,
    query: new URLSearchParams(request.query),
    body: body ?? (readsBody ? await request.json() : undefined),
    signal: request.signal,
    engine: ask,
  }
  const { status, json, location } = await compose(adaptation.adaptors, call, () => {
    const query = call.query.toString()
    return ask(request.method, query === '' ? request.path : `${request.path}?${query}`, call.body)
  })
  if (location === undefined) return { status, json }
  return { status, json, headers: { Location: inVersionOf(request.version, location) } }
}
