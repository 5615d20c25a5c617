import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instant } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import { startEtcdMember } from '#manager/membership/etcd/member.ts'
import { createRequest, createRoot, issueStorePeer } from '#security/authority.ts'
import { newKey } from '#security/seal.ts'
import { sealingCodec } from '#store/codec.ts'
import { storeContract } from '#store/contract-suite.ts'
import { EtcdStore } from '#store/etcd/store.ts'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

storeContract('etcd', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mure-etcd-'))
  const now = instant(Date.now())
  const root = await createRoot(now)
  const { csr, key } = await createRequest()
  const certificate = await issueStorePeer(root, csr, ['127.0.0.1'], { now, lifeMs: 3_600_000 })
  const peerUrl = `https://127.0.0.1:${String(await freePort())}`
  using wait = startWait({ timeoutMs: 20_000 })
  const member = await startEtcdMember(
    {
      name: 'm1',
      dataDir: folder,
      runDir: folder,
      peerUrl,
      peerListenUrl: peerUrl,
      initialCluster: `m1=${peerUrl}`,
      initialState: 'new',
      certificate,
      key,
      trust: root.certificate,
      logger: silentLogger,
    },
    wait,
  )
  const ring = { keys: [{ id: 1, key: newKey() }] }
  return {
    store: new EtcdStore({ client: member.client, codec: sealingCodec(() => ring), logger: silentLogger }),
    async [Symbol.asyncDispose]() {
      await member[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
})
