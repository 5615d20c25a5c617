import { chmod, mkdir, readdir, statfs } from 'node:fs/promises'
import { MureError } from '#lib/errors.ts'
import { exec, execResult } from '#lib/exec.ts'

/** Linux's number of tmpfs, see statfs(2). */
const tmpfsMagic = 0x01021994

/**
 * A folder that never touches a disk. Where the path lies in memory already (/run), it is a plain folder there;
 * elsewhere a tmpfs is mounted. Only root may list it; files in it are reached by bind mounts alone.
 */
export async function openMemoryFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  if ((await statfs(path)).type !== tmpfsMagic) {
    try {
      await exec('mount', ['-t', 'tmpfs', '-o', 'mode=0700,nosuid,nodev,noexec', 'tmpfs', path])
    } catch (error) {
      throw new MureError('internal', `no memory for secrets at ${path}`, { cause: error })
    }
  }
  await chmod(path, 0o700)
}

/** Takes the mount away once nothing is in it; a folder that lay in memory anyway stays. */
export async function closeMemoryFolder(path: string): Promise<void> {
  const left = await readdir(path).catch(() => ['not there'])
  if (left.length === 0) await execResult('umount', [path])
}
