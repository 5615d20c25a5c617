import { generateKeyPairSync, createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'

/** A host's key of its tunnels, as WireGuard writes keys: base64 of 32 bytes. */
export interface TunnelKey {
  readonly privateKey: string
  readonly publicKey: string
  readonly madeAtMs: number
}

/** The bytes that stand before a private key of this kind (RFC 8410). */
const privateHead = Buffer.from('302e020100300506032b656e04220420', 'hex')
const keyBytes = 32

export function newTunnelKey(nowMs: number): TunnelKey {
  const { privateKey } = generateKeyPairSync('x25519')
  const bytes = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-keyBytes)
  return tunnelKeyOf(bytes.toString('base64'), nowMs)
}

function tunnelKeyOf(privateKey: string, madeAtMs: number): TunnelKey {
  const der = Buffer.concat([privateHead, Buffer.from(privateKey, 'base64')])
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  const publicKey = key.export({ format: 'der', type: 'spki' }).subarray(-keyBytes).toString('base64')
  return { privateKey, publicKey, madeAtMs }
}

/** The key on disk, if it is younger than that; or a new one, which is then on disk. */
export async function freshTunnelKey(path: string, nowMs: number, lifeMs: number): Promise<TunnelKey> {
  const text = await readFileIfThere(path)
  if (text !== undefined) {
    try {
      const { privateKey, madeAtMs } = JSON.parse(text) as Partial<TunnelKey>
      if (privateKey !== undefined && madeAtMs !== undefined && nowMs - madeAtMs < lifeMs)
        return tunnelKeyOf(privateKey, madeAtMs)
    } catch {
      // It is no key: another is made.
    }
  }
  const made = newTunnelKey(nowMs)
  await writeFileAtomic(path, JSON.stringify({ privateKey: made.privateKey, madeAtMs: made.madeAtMs }))
  return made
}
