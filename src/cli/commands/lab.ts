import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Command } from 'commander'
import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import { labDown } from '#lab/down.ts'
import { enterArguments, hostPid, powerOff, startHost } from '#lab/host.ts'
import { hostDir, hostOf, listLabs, requireLab } from '#lab/lab.ts'
import { isPlugged, setCable } from '#lab/network.ts'
import { labUp } from '#lab/up.ts'
import { ensurePackages } from '../prerequisites.ts'
import { table } from '../table.ts'

const nameOption = ['--name <name>', 'which lab', 'lab'] as const

export function register(program: Command): void {
  const lab = program
    .command('lab')
    .description(
      'virtual hosts on this machine: each with an engine and a mured of its own, to learn on and to rehearse failures',
    )

  lab
    .command('up')
    .description('make a lab, or complete one; ends when the cluster is ready')
    .option('--managers <count>', 'how many managers', wholeNumber, 1)
    .option('--workers <count>', 'how many workers', wholeNumber, 3)
    .option(...nameOption)
    .option('--no-swarm', 'leave the hosts alone: no docker swarm init and join')
    .option('--engine-only', 'plain Docker hosts, without mured: a peer to compare with')
    .action(up)

  lab.command('ls').description('labs and their hosts').option('--json', 'for programs').action(list)

  lab
    .command('exec')
    .description('run a command in a host; plain "docker" there reaches Mure')
    .argument('<host>')
    .argument('<command...>')
    .option(...nameOption)
    .passThroughOptions()
    .action(runCommand)

  for (const [name, what, act] of [
    ['stop', "cut a host's power", powerCut],
    ['start', 'switch a host on again', powerOn],
    [
      'cut',
      "pull a host's network cable",
      (host: string, options: NameOption) => cable(host, options, false),
    ],
    [
      'heal',
      "plug a host's network cable in again",
      (host: string, options: NameOption) => cable(host, options, true),
    ],
  ] as const)
    lab
      .command(name)
      .description(what)
      .argument('<host>')
      .option(...nameOption)
      .action(act)

  lab
    .command('logs')
    .description("what a host's daemon has said")
    .argument('<host>')
    .argument('[daemon]', 'mured or dockerd', 'mured')
    .option('-f, --follow', 'go on as it says more')
    .option(...nameOption)
    .action(logs)

  lab
    .command('down')
    .description('take a lab away, with everything in it')
    .option(...nameOption)
    .action(async ({ name }: NameOption) => {
      await labDown(name)
      say(`lab "${name}" is gone`)
    })
}

interface NameOption {
  name: string
}

const say = (text: string) => process.stdout.write(`${text}\n`)

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new MureError('invalid', `"${text}" is not a whole number`)
  return Number(text)
}

async function up(
  options: NameOption & { managers: number; workers: number; swarm: boolean; engineOnly?: boolean },
): Promise<void> {
  requireRoot()
  await ensurePackages(say)
  const started = performance.now()
  const lab = await labUp({ ...options, kind: options.engineOnly === true ? 'engine' : 'mure', say })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  say(`lab "${lab.name}" is up after ${seconds} s:`)
  for (const host of lab.hosts) say(`  ${host.name.padEnd(10)} ${host.address}`)
  for (const { port, to } of lab.forwards) say(`  localhost:${String(port)} leads to ${to}`)
  const flag = lab.name === 'lab' ? '' : ` --name ${lab.name}`
  say(`Go in:   mure lab exec${flag} manager01 -- docker node ls`)
  say(`Remove:  mure lab down${flag}`)
}

function requireRoot(): void {
  if (process.getuid?.() !== 0)
    throw new MureError('forbidden', 'a lab needs root: it makes namespaces, devices and control groups')
}

async function list({ json }: { json?: boolean }): Promise<void> {
  const rows: Record<string, string>[] = []
  for (const lab of await listLabs())
    for (const host of lab.hosts) {
      const pid = await hostPid(lab, host)
      rows.push({
        LAB: lab.name,
        HOST: host.name,
        ROLE: host.role,
        ADDRESS: host.address,
        POWER: pid === undefined ? 'off' : 'on',
        CABLE: (await isPlugged(lab, host)) ? 'plugged' : 'pulled',
        PID: pid === undefined ? '' : String(pid),
      })
    }
  if (json === true) say(JSON.stringify(rows, null, 2))
  else say(table(['LAB', 'HOST', 'ROLE', 'ADDRESS', 'POWER', 'CABLE', 'PID'], rows))
}

async function runCommand(hostName: string, command: string[], { name }: NameOption): Promise<void> {
  const lab = await requireLab(name)
  const args = await enterArguments(lab, hostOf(lab, hostName))
  const words = command[0] === '--' ? command.slice(1) : command
  // Signals of the terminal reach the command itself; we only wait for it.
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => undefined)
  const child = spawn('nsenter', [...args, ...words], { stdio: 'inherit' })
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  process.exitCode = code ?? (signal === null ? 1 : 128 + 9)
}

async function powerCut(hostName: string, { name }: NameOption): Promise<void> {
  const lab = await requireLab(name)
  using wait = startWait({ timeoutMs: 30_000, what: 'the host to be off' })
  await powerOff(lab, hostOf(lab, hostName), wait)
  say(`${hostName} is off`)
}

async function powerOn(hostName: string, { name }: NameOption): Promise<void> {
  const lab = await requireLab(name)
  await startHost(lab, hostOf(lab, hostName))
  say(`${hostName} is on`)
}

async function cable(hostName: string, { name }: NameOption, plugged: boolean): Promise<void> {
  const lab = await requireLab(name)
  await setCable(lab, hostOf(lab, hostName), plugged)
  say(`${hostName}: cable ${plugged ? 'plugged in' : 'pulled'}`)
}

async function logs(
  hostName: string,
  daemon: string,
  options: NameOption & { follow?: boolean },
): Promise<void> {
  const lab = await requireLab(options.name)
  const known = ['mured', 'dockerd', 'registry', 'init']
  if (!known.includes(daemon))
    throw new MureError('invalid', `a host has logs of ${known.join(', ')}, not of "${daemon}"`)
  const file = join(hostDir(lab.name, hostOf(lab, hostName).name), 'logs', `${daemon}.log`)
  const child = spawn('tail', ['-n', '+1', ...(options.follow === true ? ['-F'] : []), file], {
    stdio: 'inherit',
  })
  await once(child, 'exit')
}
