import { chmod, cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exec } from '#lib/exec.ts'

export const busybox = '/bin/busybox'
export const path = 'PATH=/bin:/sbin:/usr/bin:/usr/sbin'

/** A small Unix: one program under all of its names. */
export async function fillBusybox(root: string): Promise<void> {
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

/** Copies a program of this machine, and every library that it is linked to, each to the path that it has here. */
export async function copyProgram(root: string, program: string): Promise<void> {
  await copyFile(root, program, join('/bin', program.split('/').at(-1) ?? ''))
  // "libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x…)", and the loader: "/lib64/ld-linux-x86-64.so.2 (0x…)"
  for (const line of (await exec('ldd', [program])).split('\n')) {
    const [, library] = /(?:=> |^\s+)(\/\S+) \(0x/.exec(line) ?? []
    if (library !== undefined) await copyFile(root, library, library)
  }
}

async function copyFile(root: string, from: string, to: string): Promise<void> {
  const target = join(root, to)
  await mkdir(dirname(target), { recursive: true })
  await cp(await realpath(from), target)
}
