import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalNode } from '#api/backend.ts'
import { startDockerFacade } from '#api/docker/facade.ts'
import { Engine } from '#engine/engine.ts'
import { MureError, systemCode } from '#lib/errors.ts'
import { silentLogger } from '#lib/logger.ts'
import type { DaemonClient } from '../client.ts'
import { startReadOnlyEngine } from './read-only-engine.ts'
import type { WhatIf } from './what-if.ts'

/**
 * Runs the real docker CLI against the copy: the very facade that answers it on a manager, on a socket of its own.
 * What docker says goes to stderr, so that the plan alone is on stdout.
 */
export async function runDocker(
  whatIf: WhatIf,
  client: DaemonClient,
  args: readonly string[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mure-plan-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const enginePath = join(folder, 'engine.sock')
  stack.use(await startReadOnlyEngine(enginePath, client))
  const engine = stack.use(new Engine(enginePath))
  const apiPath = join(folder, 'docker.sock')
  stack.use(
    await startDockerFacade({
      hosts: [`unix://${apiPath}`],
      tls: undefined,
      engine,
      node: nodeOf(whatIf),
      runDir: folder,
      logger: silentLogger,
    }),
  )
  const code = await run(args, `unix://${apiPath}`)
  if (code !== 0)
    throw new MureError(
      'invalid',
      `docker ${args.join(' ')} failed (exit code ${String(code)}): nothing to plan`,
    )
}

/** A manager of the copy. What concerns this host rather than the cluster cannot be planned. */
function nodeOf({ control, cluster }: WhatIf): LocalNode {
  const manager = [...cluster.mirror.list('node')].find((node) => node.status.role === 'manager')
  const cannot = () =>
    Promise.reject(new MureError('precondition', 'this is a plan: membership is not part of it'))
  return {
    info: () => ({
      state: 'active',
      nodeId: manager?.meta.id ?? '',
      nodeAddress: manager?.status.address ?? '',
      isManager: true,
      isStale: false,
      error: '',
      remoteManagers: [],
    }),
    settled: () => Promise.resolve(),
    init: cannot,
    join: cannot,
    leave: cannot,
    unlock: cannot,
    attach: () => Promise.resolve(undefined),
    detach: () => Promise.resolve(),
    placeOf: () => undefined,
    usage: () => undefined,
    backup: cannot,
    restore: cannot,
    control: () => control,
    followView: (listener) => {
      listener(control.view)
      return { [Symbol.dispose]: () => undefined }
    },
  }
}

function run(args: readonly string[], host: string): Promise<number> {
  const { DOCKER_CONTEXT: _, DOCKER_TLS_VERIFY: __, DOCKER_CERT_PATH: ___, ...environment } = process.env
  return new Promise((resolve, reject) => {
    const child = spawn('docker', args, {
      stdio: ['inherit', 2, 2],
      env: { ...environment, DOCKER_HOST: host },
    })
    child.once('error', (error) => {
      const text = systemCode(error) === 'ENOENT' ? 'the docker CLI is not installed' : error.message
      reject(new MureError('unavailable', text, { cause: error }))
    })
    child.once('close', (code) => {
      resolve(code ?? 1)
    })
  })
}
