import { join } from 'node:path'
import { writeFileAtomic } from '#lib/atomic-file.ts'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { storePeerName } from '#security/authority.ts'
import { EtcdClient } from '#store/etcd/client.ts'
import { StoreMembers } from '#store/etcd/members.ts'
import { memberDataDir } from './data-dir.ts'
import { clientSocket, EtcdProcess, notReady } from './process.ts'

export interface MemberOptions {
  readonly name: string
  readonly dataDir: string
  readonly runDir: string
  readonly peerUrl: string
  readonly peerListenUrl: string
  readonly initialCluster: string
  readonly initialState: 'new' | 'existing'
  readonly forceNewCluster?: boolean
  readonly certificate: string
  readonly key: string
  readonly trust: string
  readonly logger: Logger
}

/** This manager's member of the store. */
export interface EtcdMember extends AsyncDisposable {
  readonly client: EtcdClient
  readonly members: StoreMembers
  readonly pid: number | undefined
  /** The roots that it accepts its peers' certificates of, as of its last start. */
  readonly trust: string
  /** A new certificate for its peers; it counts from the next connection on. */
  setCertificate(files: { certificate: string; key: string }): Promise<void>
  /** etcd reads its roots only when it starts: it is started anew. */
  setTrust(trust: string): Promise<void>
}

/** Starts the member and waits until it answers (a learner answers too). */
export async function startEtcdMember(options: MemberOptions, wait: Wait): Promise<EtcdMember> {
  const socketDir = join(options.runDir, 'etcd')
  // In memory, beside the socket: on disk a key is only where the cluster's lock protects it.
  const tls = {
    certificate: join(socketDir, 'peer.crt'),
    key: join(socketDir, 'peer.key'),
    trust: join(socketDir, 'trust.crt'),
  }
  await writeCertificate(tls, options)
  await writeTrust(tls, options.trust)
  const etcd = new EtcdProcess(
    {
      name: options.name,
      dataDir: memberDataDir(options.dataDir),
      socketDir,
      peerUrl: options.peerUrl,
      peerListenUrl: options.peerListenUrl,
      initialCluster: options.initialCluster,
      initialState: options.initialState,
      forceNewCluster: options.forceNewCluster ?? false,
      tls,
      allowedPeerName: storePeerName,
    },
    options.logger,
  )
  await etcd.start()
  const client = new EtcdClient(`unix:${clientSocket(socketDir)}`)
  const members = new StoreMembers(client)
  try {
    await answering(members, etcd, wait)
  } catch (error) {
    client[Symbol.dispose]()
    await etcd[Symbol.asyncDispose]()
    throw error
  }
  let trust = options.trust
  return {
    client,
    members,
    get pid() {
      return etcd.pid
    },
    get trust() {
      return trust
    },
    setCertificate: (files) => writeCertificate(tls, files),
    async setTrust(roots) {
      await writeTrust(tls, roots)
      trust = roots
      etcd.restart()
    },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      await etcd[Symbol.asyncDispose]()
    },
  }
}

type TlsFiles = Readonly<Record<'certificate' | 'key' | 'trust', string>>

async function writeCertificate(
  paths: TlsFiles,
  content: { readonly certificate: string; readonly key: string },
): Promise<void> {
  await writeFileAtomic(paths.key, content.key)
  await writeFileAtomic(paths.certificate, content.certificate)
}

const writeTrust = (paths: TlsFiles, trust: string): Promise<void> => writeFileAtomic(paths.trust, trust)

async function answering(members: StoreMembers, etcd: EtcdProcess, wait: Wait): Promise<void> {
  for (;;) {
    try {
      using attempt = startWait({ timeoutMs: 2_000, signal: wait.signal, what: 'etcd to answer' })
      await members.status(attempt)
      return
    } catch (error) {
      wait.note(`etcd to come up (${etcd.lastWords === '' ? errorText(error) : etcd.lastWords})`)
      if (wait.signal.aborted) throw notReady(etcd)
      await sleep(50, wait.signal).catch(() => undefined)
    }
  }
}
