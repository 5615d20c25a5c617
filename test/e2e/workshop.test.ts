import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { labDown } from '#lab/down.ts'
import { requireLab } from '#lab/record.ts'
import { commandsOf, runBlock } from '../support/guide.ts'

// The guide in docs/workshop.md is what is tested: its commands, in order, in a lab of another name.
const labName = 'e2eworkshop'
const root = join(import.meta.dirname, '..', '..')
const guide = (file: string) => commandsOf(join(root, 'docs', file))

const silent = () => undefined
after(() => labDown(labName, silent))

/** A port of this machine that is taken has become another one. */
async function withOwnNames(block: string): Promise<string> {
  const forwards = await requireLab(labName).then(
    (lab) => lab.forwards,
    () => [],
  )
  let own = block.replaceAll('--name workshop', `--name ${labName}`)
  for (const [shown, target] of [
    [8000, ':80'],
    [9001, ':9001'],
  ] as const) {
    const port = forwards.find(({ to }) => to.endsWith(target))?.port
    if (port !== undefined) own = own.replaceAll(`localhost:${String(shown)}`, `localhost:${String(port)}`)
  }
  return own
}

test('both languages have the same commands', async () => {
  assert.deepEqual(await guide('workshop.ja.md'), await guide('workshop.md'))
})

test('every command of the guide works, and no request fails while a host dies', async (t) => {
  await labDown(labName, silent)
  let definitions = ''
  const said: string[] = []
  for (const block of await guide('workshop.md')) {
    const own = await withOwnNames(block)
    if (/^\w+\(\) \{/m.test(own)) definitions += own
    const started = performance.now()
    said.push(await runBlock(own, { definitions, cwd: root, timeoutMs: 180_000 }))
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    t.diagnostic(`${seconds} s: ${block.split('\n')[0] ?? ''}`)
  }
  const all = said.join('')
  assert.equal(all.match(/^The API service is running\.\.\.$/gm)?.length, 3)
  assert.match(all, /^task: +hello\.\d\.\w{25}$/m)
  assert.match(all, /^task: +swtest_api\.\d\.\w{25}\nnode: +worker0\d\nclient: +192\.168\.\d+\.1$/m)
  assert.match(all, /worker01 +Down/)
  assert.match(all, /^localhost:5000\/mine:latest$/m)
  assert.match(all, /^lab "e2eworkshop" is gone$/m)
})
