import type { NodeId } from '#model/id.ts'

/**
 * How an image goes from one node to another, on a byte stream between the two: JSON lines, then an archive.
 *
 *     receiver → sender   ImageWish
 *     sender → receiver   ImageOffer, or ImageRefusal
 *     receiver → sender   ImageChoice
 *     sender → receiver   the archive as of `docker save`, to the end of the stream; nothing, if it is here already
 *     receiver → opener   ImageOutcome
 */
export interface ImageWish {
  readonly image: string
}

export interface ImageOffer {
  readonly id: string
  /** The lowest first. */
  readonly layers: readonly string[]
  readonly bytes: number
}

export interface ImageRefusal {
  readonly error: string
}

export interface ImageChoice {
  /** Layers that are not to be sent. */
  readonly omit: readonly string[]
  /** The whole image is known: no archive is wanted. */
  readonly isKnown: boolean
}

export type ImageOutcome =
  | {
      readonly type: 'received'
      readonly bytes: number
      readonly layers: number
      readonly sentLayers: number
    }
  | { readonly type: 'failed'; readonly error: string }

/** Paths of relays that a node serves itself, instead of its engine. */
export const imageSendPath = '/mure/image/send'
/** `?image=`: the node receives it on the stream, from whoever is at the other end. */
export const imageReceivePath = '/mure/image/receive'

// --- Who gets an image where: `/v1/images/share`, one message stream for each image that a node lacks -----------

export type ShareRequest =
  | { readonly type: 'want'; readonly image: string }
  /** It is here now: others may have it from this node. */
  | { readonly type: 'have' }
  | { readonly type: 'failed'; readonly error: string }

export type ShareAnswer =
  /** From its registry: nobody has it, or nobody can give it now. */
  | { readonly type: 'pull' }
  /** From that node, by `imageFetchPath`. */
  | { readonly type: 'fetch'; readonly from: NodeId }

export const imageSharePath = '/v1/images/share'
/** And base64url of JSON `ImageFetch`. */
export const imageFetchPath = '/v1/images/fetch/'

export interface ImageFetch {
  readonly image: string
  readonly from: NodeId
}
