import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { exec } from '#lib/exec.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mure-daemon-'))
})
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))

/** Runs a program in a network of its own, with nothing but a loopback; all that it starts ends with it. */
async function inNamespace(program: string): Promise<void> {
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const file = join(import.meta.dirname, program)
  await exec('unshare', [...namespaces, process.execPath, file, folder], { timeoutMs: 180_000 })
}

test('several daemons, each with its own engine, share one network namespace', () =>
  inNamespace('shared-namespace.ts'))

test('clocks that are off are said; hosts that were off for longer than their certificates live come back', () =>
  inNamespace('clocks.ts'))
