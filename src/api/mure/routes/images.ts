import { Readable } from 'node:stream'
import { MureError } from '#lib/errors.ts'
import type { NodeId } from '#model/id.ts'
import type { Node } from '#model/node.ts'
import type { Control } from '#manager/control/control.ts'
import { readJson } from '../../http/read-json.ts'
import type { Router } from '../../http/router.ts'
import type { MureParts } from './index.ts'

interface PushBody {
  readonly image?: unknown
  /** Ids or names; absent: all that are ready. */
  readonly nodes?: unknown
}

export function registerImageRoutes(router: Router, { node }: MureParts): void {
  /** An image of this host's engine goes to other nodes. Answers with a line of JSON for each, as it is done. */
  router.add('POST', '/mure/v1/images/push', async (request) => {
    const control = node.control()
    const { image, nodes } = ((await readJson(request.message)) ?? {}) as PushBody
    if (typeof image !== 'string' || image === '')
      throw new MureError('invalid', 'image is to be the name of an image')
    const own = node.info().nodeId
    if (own === '') throw new MureError('unavailable', 'this node is not part of a swarm')
    const to = targets(control, nodes, own)
    const reports = control.pushImage({ image, from: own, to }, request.signal)
    async function* lines(): AsyncGenerator<string> {
      for await (const report of reports) yield `${JSON.stringify(report)}\n`
    }
    return {
      status: 200,
      headers: { 'Content-Type': 'application/x-ndjson' },
      stream: Readable.from(lines()),
    }
  })
}

/** All that are named, or all that are ready; never the node that the image is on. */
function targets({ view }: Control, wanted: unknown, own: NodeId): NodeId[] {
  if (wanted === undefined)
    return [...view.list('node')]
      .filter((node) => node.status.state === 'ready' && node.meta.id !== own)
      .map((node) => node.meta.id)
  if (!Array.isArray(wanted) || wanted.some((one) => typeof one !== 'string'))
    throw new MureError('invalid', 'nodes is to be a list of names or ids')
  const found = (wanted as string[]).map((text) => nodeNamed(view, text).meta.id)
  return [...new Set(found)].filter((id) => id !== own)
}

function nodeNamed(view: Control['view'], text: string): Node {
  const byId = view.get('node', text)
  if (byId !== undefined) return byId
  const named = [...view.list('node')].filter((node) => node.status.description?.hostname === text)
  const found = named.length > 0 ? named : view.byIdPrefix('node', text)
  const [only, second] = found
  if (only === undefined) throw new MureError('not-found', `node ${text} not found`)
  if (second !== undefined)
    throw new MureError('invalid', `node ${text} is ambiguous (${String(found.length)} matches found)`)
  return only
}
