import { access, readFile } from 'node:fs/promises'

/** What systemd calls the slice of programs that outlive the daemon's unit. */
export const outlivingSlice = 'mure.slice'

let isUnit: Promise<boolean> | undefined

/**
 * How to start a program that is to go on when this process ends. systemd ends with a unit whatever is in its control
 * group; so, below systemd, the program gets a scope of its own. Its process id is that of what is started: systemd-run
 * becomes the program.
 */
export async function outliving(program: string, args: readonly string[]): Promise<[string, string[]]> {
  isUnit ??= isUnitOfSystemd()
  if (!(await isUnit)) return [program, [...args]]
  const scope = ['--scope', '--quiet', '--collect', `--slice=${outlivingSlice}`, '--description', program]
  return ['systemd-run', [...scope, '--', program, ...args]]
}

async function isUnitOfSystemd(): Promise<boolean> {
  try {
    await access('/run/systemd/system')
    return /\.service$/m.test(await readFile('/proc/self/cgroup', 'utf8'))
  } catch {
    return false
  }
}
