import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execResult } from '#lib/exec.ts'
import type { ExecResult } from '#lib/exec.ts'
import { sleep } from '#lib/wait.ts'
import { root } from '#cli/tool.ts'

/** A machine of its own as far as programs can tell: this one's files with changes kept apart, started by systemd. */
export interface SystemdHost extends AsyncDisposable {
  run(...command: string[]): Promise<ExecResult>
}

/** What would touch the machine beneath stays off. */
const masked = [
  ...['systemd-udevd.service', 'systemd-udevd-kernel.socket', 'systemd-udevd-control.socket'],
  ...['getty.target', 'networking.service', 'systemd-resolved.service', 'apparmor.service'],
]

const script = (folder: string): string => `
  mount --make-rprivate / && mount -t tmpfs tmpfs ${folder}
  mkdir ${folder}/upper ${folder}/work ${folder}/root ${folder}/docker
  mount -t overlay overlay -o lowerdir=/,upperdir=${folder}/upper,workdir=${folder}/work ${folder}/root
  cd ${folder}/root
  mount -t proc proc proc && mount --rbind /sys sys && mount -t tmpfs tmpfs run
  mkdir -p .${root} var/lib/docker && mount --rbind ${root} .${root} && mount --bind ${folder}/docker var/lib/docker
  mount -t tmpfs tmpfs dev && mkdir dev/pts dev/shm && mount -t tmpfs tmpfs dev/shm
  for name in null zero full random urandom tty; do touch dev/$name && mount --bind /dev/$name dev/$name; done
  mount -t devpts devpts dev/pts -o newinstance,ptmxmode=0666 && ln -s pts/ptmx dev/ptmx
  for unit in ${masked.join(' ')}; do ln -sf /dev/null etc/systemd/system/$unit; done
  ip link set lo up
  export container=test
  exec chroot . /lib/systemd/systemd --system --unit=multi-user.target --log-target=console
`

export async function startSystemdHost(): Promise<SystemdHost> {
  const folder = await mkdtemp(join(tmpdir(), 'mure-systemd-'))
  const logFile = `${folder}.log`
  const log = openSync(logFile, 'a')
  const namespaces = ['--pid', '--mount', '--net', '--uts', '--ipc', '--fork', '--kill-child']
  const outer = spawn(
    'setpriv',
    ['--pdeathsig', 'SIGKILL', 'unshare', ...namespaces, 'sh', '-ec', script(folder)],
    {
      stdio: ['ignore', log, log],
    },
  )
  closeSync(log)
  const init = async (): Promise<string> => {
    const pid = String(outer.pid)
    return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')[0] ?? ''
  }
  const run = async (...command: string[]): Promise<ExecResult> =>
    execResult('nsenter', ['-t', await init(), '-p', '-m', '-n', '-u', '-r', '-w', '--', ...command], {
      timeoutMs: 120_000,
      cwd: '/',
    })
  const dispose = async () => {
    const ended = once(outer, 'exit')
    process.kill(Number(await init()), 'SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
    await rm(logFile, { force: true })
  }
  for (let attempt = 0; ; attempt++) {
    const state = await run('systemctl', 'is-system-running').catch(() => undefined)
    if (state !== undefined && /running|degraded/.test(state.stdout)) break
    if (attempt > 300 || outer.exitCode !== null) {
      const said = await readFile(logFile, 'utf8')
      await dispose().catch(() => undefined)
      throw new Error(`systemd did not come up: ${said.slice(-2_000)}`)
    }
    await sleep(100)
  }
  return { run, [Symbol.asyncDispose]: dispose }
}
