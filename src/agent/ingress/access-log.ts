import { copyFile, stat, truncate } from 'node:fs/promises'
import { systemCode } from '#lib/errors.ts'

const largestBytes = 64 * 1024 * 1024

/** The log and the one before it: HAProxy goes on writing to the same file, so it is copied and emptied. */
export async function trimAccessLog(file: string, limitBytes = largestBytes): Promise<void> {
  try {
    if ((await stat(file)).size < limitBytes) return
    await copyFile(file, `${file}.1`)
    await truncate(file)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
