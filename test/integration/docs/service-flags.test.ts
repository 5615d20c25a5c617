import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { exec } from '#lib/exec.ts'

const flags = (text: string) => [...text.matchAll(/--[a-z][a-z-]+/g)].map(([flag]) => flag)

test('the table of flags is that of the CLI', async () => {
  const page = await readFile(new URL('../../../docs/docker-compatibility.md', import.meta.url), 'utf8')
  const [, section = ''] = page.split('## Flags of services')
  const told = section
    .split('\n')
    .flatMap((line) => (line.startsWith('| `') ? flags(line.split('|')[1] ?? '') : []))
  const known = new Set<string>()
  for (const command of ['create', 'update'])
    for (const line of (await exec('docker', ['service', command, '--help'])).split('\n')) {
      const flag = /^ +(?:-\w, )?(--[a-z-]+)/.exec(line)?.[1]
      if (flag !== undefined) known.add(flag)
    }
  assert.deepEqual(told.sort(), [...known].sort())
})
