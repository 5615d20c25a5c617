import { open, seal } from '#security/seal.ts'
import type { KeyRing } from '#security/seal.ts'

/** How values are written. `key` is authenticated along, so that values cannot be swapped. */
export interface ValueCodec {
  seal(plain: Buffer, key: string): Buffer
  open(sealed: Buffer, key: string): Buffer
}

/** AES-256-GCM under the cluster's data keys; the ring is asked for each time, since it may grow. */
export const sealingCodec = (ring: () => KeyRing): ValueCodec => ({
  seal: (plain, key) => seal(ring(), plain, key),
  open: (sealed, key) => open(ring(), sealed, key),
})
