import { chmod, cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exec } from '#lib/exec.ts'

/** An image that needs no hub: files of this machine's Debian packages, and how to run them. */
export interface SeedImage {
  readonly name: string
  readonly tag: string
  /** The machine's files that go in: when one of them changes, the image is made anew. */
  readonly sources: readonly string[]
  /** What a container does with it, in the words of the image specification. */
  readonly config: {
    readonly Cmd: readonly string[]
    readonly Env: readonly string[]
    readonly ExposedPorts?: Readonly<Record<string, object>>
    readonly StopSignal?: string
  }
  /** Puts the image's files below an empty folder. */
  fill(root: string): Promise<void>
}

const busybox = '/bin/busybox'
const path = 'PATH=/bin:/sbin:/usr/bin:/usr/sbin'

/** Says who answers: enough to see requests being spread, and an address for "is it well?". */
const serve = `#!/bin/sh
mkdir -p /www
echo "Hello from $(hostname)" >/www/index.html
echo ok >/www/health
exec httpd -f -p 8080 -h /www
`

/**
 * The images that are in every lab's registry from the start. To add one: a file of its own that exports a
 * SeedImage (nginx: its binary, what `ldd` names, its configuration), and a line here.
 */
export const seedImages: readonly SeedImage[] = [
  {
    name: 'busybox',
    tag: 'latest',
    sources: [busybox],
    config: { Cmd: ['sh'], Env: [path] },
    fill: fillBusybox,
  },
  {
    name: 'web',
    tag: 'latest',
    sources: [busybox],
    // httpd has no handler for SIGTERM, and what has none is not heard by a container's first process.
    config: { Cmd: ['/bin/serve'], Env: [path], ExposedPorts: { '8080/tcp': {} }, StopSignal: 'SIGKILL' },
    async fill(root) {
      await fillBusybox(root)
      await writeScript(join(root, 'bin', 'serve'), serve)
    },
  },
]

/** A small Unix: one program under all of its names. */
async function fillBusybox(root: string): Promise<void> {
  for (const folder of ['bin', 'sbin', 'etc', 'tmp', 'dev', 'proc', 'sys', 'root', 'run', 'usr', 'var'])
    await mkdir(join(root, folder))
  await chmod(join(root, 'tmp'), 0o1777)
  for (const folder of ['bin', 'sbin']) await symlink(`../${folder}`, join(root, 'usr', folder))
  await cp(busybox, join(root, 'bin', 'busybox'))
  const names = (await exec(busybox, ['--list']))
    .split('\n')
    .filter((name) => name !== '' && name !== 'busybox')
  for (const name of names) await symlink('busybox', join(root, 'bin', name))
  await writeFile(
    join(root, 'etc', 'passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  )
  await writeFile(join(root, 'etc', 'group'), 'root:x:0:\nnogroup:x:65534:\n')
}

export async function writeScript(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  await chmod(file, 0o755)
}
