import type { NodeId } from '#model/id.ts'
import type { ImageOutcome } from '#rpc/image-messages.ts'

/** An image of one node that others are to have. */
export interface ImagePush {
  readonly image: string
  readonly from: NodeId
  readonly to: readonly NodeId[]
}

/** How it went with one node. */
export interface ImagePushReport {
  readonly nodeId: NodeId
  readonly node: string
  readonly outcome: ImageOutcome
}
