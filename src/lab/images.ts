import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile, chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { exec } from '#lib/exec.ts'
import { engineSocket } from './engine.ts'
import { cacheDir, hostDir } from './lab.ts'
import type { LabHost, LabRecord } from './lab.ts'
import { runIn } from './run.ts'

/** An image without a hub: files of this machine's packages, and what to run. */
interface SeedImage {
  readonly name: string
  readonly changes: readonly string[]
  readonly files: Readonly<Record<string, string>>
}

const busyboxPrograms = [
  ...['sh', 'cat', 'echo', 'env', 'hostname', 'httpd', 'id', 'kill', 'ls', 'mkdir', 'nc', 'nslookup', 'ping'],
  ...[
    'ps',
    'rm',
    'sleep',
    'stat',
    'sync',
    'tail',
    'tar',
    'test',
    'touch',
    'trap',
    'true',
    'false',
    'wget',
    'ip',
    'mount',
    'date',
    'dd',
    'head',
    'seq',
    'vi',
    'grep',
    'awk',
    'sed',
    'wc',
    'chmod',
    'chown',
    'cp',
    'mv',
    'df',
    'free',
    'top',
    'which',
    'yes',
    'expr',
    'printf',
    'md5sum',
    'sha256sum',
    'telnet',
    'traceroute',
    'tr',
    'cut',
    'sort',
    'uniq',
    'whoami',
    'uname',
    'uptime',
    'xargs',
  ],
]

const images: readonly SeedImage[] = [
  { name: 'busybox', changes: ['CMD ["sh"]'], files: {} },
  {
    name: 'web',
    changes: ['EXPOSE 8080', 'CMD ["/bin/serve"]'],
    files: {
      // Says who answers: enough to see load being spread.
      '/bin/serve':
        '#!/bin/sh\nmkdir -p /www\necho "Hello from $(hostname)" > /www/index.html\nhttpd -f -p 8080 -h /www &\n# The first process of a container gets no signal that it does not ask for.\ntrap "kill $!; exit 0" TERM INT\nwait\n',
    },
  },
]

const seedDir = join(cacheDir, 'registry-3')

/** Puts the seed images into the lab's registry: from the cache, or, the first time on this machine, made anew. */
export async function seedRegistry(lab: LabRecord, registry: LabHost): Promise<boolean> {
  const target = join(hostDir(lab.name, registry.name), 'registry')
  if ((await readdir(target).catch(() => [])).length > 0) return true
  const cached = (await readdir(seedDir).catch(() => [])).length > 0
  if (!cached) return false
  await cp(seedDir, target, { recursive: true })
  return true
}

/** Makes the images on a host's engine, pushes them, and keeps the registry's content for the next lab. */
export async function makeSeedImages(lab: LabRecord, host: LabHost, registry: LabHost): Promise<void> {
  const docker = ['docker', '-H', engineSocket(host)]
  for (const image of images) {
    const tar = await rootTar(image)
    const changes = image.changes.flatMap((change) => ['--change', change])
    const tag = `registry:5000/${image.name}:latest`
    await runIn(lab, host, [...docker, 'import', ...changes, '-', tag], { input: tar, timeoutMs: 60_000 })
    await runIn(lab, host, [...docker, 'push', '--quiet', tag], { timeoutMs: 60_000 })
  }
  await mkdir(cacheDir, { recursive: true })
  const fresh = await mkdtemp(join(cacheDir, 'new-'))
  await cp(join(hostDir(lab.name, registry.name), 'registry'), fresh, { recursive: true })
  await rm(seedDir, { recursive: true, force: true })
  await rename(fresh, seedDir)
}

async function rootTar(image: SeedImage): Promise<Buffer> {
  const root = await mkdtemp(join(tmpdir(), 'mure-image-'))
  try {
    for (const folder of ['bin', 'etc', 'tmp', 'dev', 'proc', 'sys', 'root', 'usr', 'var'])
      await mkdir(join(root, folder))
    await symlink('/bin', join(root, 'usr', 'bin'))
    await cp('/bin/busybox', join(root, 'bin', 'busybox'))
    for (const program of busyboxPrograms) await symlink('busybox', join(root, 'bin', program))
    await writeFile(
      join(root, 'etc', 'passwd'),
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    )
    await writeFile(join(root, 'etc', 'group'), 'root:x:0:\nnogroup:x:65534:\n')
    for (const [path, content] of Object.entries(image.files)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), content)
      await chmod(join(root, path), 0o755)
    }
    const tar = join(root, '..', `${root.split('/').at(-1) ?? 'image'}.tar`)
    await exec('tar', ['--owner=0', '--group=0', '--sort=name', '--mtime=@0', '-C', root, '-cf', tar, '.'])
    const { readFile } = await import('node:fs/promises')
    const bytes = await readFile(tar)
    await rm(tar)
    return bytes
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
