import { readdir, readFile } from 'node:fs/promises'
import { systemCode } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'

/** Every process that a lab starts has this in its environment: that is how it is found again, whoever lost track. */
export const labMark = (lab: string): string => `MURE_LAB=${lab}`
export const hostMark = (host: string): string => `MURE_LAB_HOST=${host}`

/** Whether the process is there and was started with all of these in its environment. */
export async function isMarked(pid: number, ...marks: readonly string[]): Promise<boolean> {
  const environment = await readFile(`/proc/${String(pid)}/environ`, 'utf8').catch(() => '')
  const variables = environment.split('\0')
  return marks.every((mark) => variables.includes(mark))
}

export async function markedProcesses(...marks: readonly string[]): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0)
  const found = await Promise.all(pids.map((pid) => isMarked(pid, ...marks)))
  return pids.filter((pid, i) => found[i] === true && pid !== process.pid)
}

/**
 * Ends all processes with these marks, at once and whatever they do. Resolves when they are buried: the first
 * process of a host goes last, after everything that ran in the host.
 */
export async function killMarked(wait: Wait, ...marks: readonly string[]): Promise<void> {
  const dying = new Set<number>()
  for (;;) {
    // Asked again each time, as one that is killed may have had a child a moment before.
    for (const pid of await markedProcesses(...marks)) {
      kill(pid)
      dying.add(pid)
    }
    for (const pid of dying) if (await isBuried(pid)) dying.delete(pid)
    if (dying.size === 0) return
    wait.note(`${String(dying.size)} processes of ${marks.join(' ')} to end`)
    await sleep(10, wait.signal)
  }
}

/** Gone, or a zombie: it holds nothing any more, and is its parent's business. */
async function isBuried(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '')
  const state = stat.slice(stat.lastIndexOf(')') + 2)[0]
  return state === undefined || state === 'Z' || state === 'X'
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It has ended by itself.
    if (systemCode(error) !== 'ESRCH') throw error
  }
}
