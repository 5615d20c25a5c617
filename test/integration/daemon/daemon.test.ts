import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { exec } from '#lib/exec.ts'

let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mure-daemon-'))
})
after(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))

test('several daemons, each with its own engine, share one network namespace', async () => {
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const scenario = join(import.meta.dirname, 'shared-namespace.ts')
  await exec('unshare', [...namespaces, process.execPath, scenario, folder], { timeoutMs: 120_000 })
})
