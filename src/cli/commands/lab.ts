import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { labDown } from '#lab/down.ts'
import { logFile } from '#lab/host-files.ts'
import { bootHost, forwardPorts, moveCable, stopHost } from '#lab/operations.ts'
import type { WantedForward } from '#lab/operations.ts'
import { hostOf, requireLab } from '#lab/record.ts'
import type { LabRecord } from '#lab/record.ts'
import { runInteractive } from '#lab/run.ts'
import { labStatus } from '#lab/status.ts'
import { labUp } from '#lab/up.ts'
import { MureError } from '#lib/errors.ts'
import { ensurePackages, requireRoot } from '../prerequisites.ts'
import { table } from '../table.ts'

const defaultName = 'lab'
const nameOption = ['--name <name>', 'which lab', defaultName] as const

interface NameOption {
  readonly name: string
}

export function register(program: Command): void {
  const lab = program
    .command('lab')
    .description(
      'Virtual hosts on this machine, each with an engine and a mured of its own: to learn on, and to rehearse failures.',
    )
    .helpCommand(false)
    .hook('preAction', () => {
      requireRoot('a lab')
    })
  registerLab(lab)
  registerHosts(lab)
}

function registerLab(lab: Command): void {
  lab
    .command('up')
    .description('make a lab, or complete one; ends when the cluster is ready')
    .option('--managers <count>', 'how many managers (in a new lab: 1)', wholeNumber)
    .option('--workers <count>', 'how many workers (in a new lab: 3)', wholeNumber)
    .option(...nameOption)
    .option('--no-swarm', 'leave the hosts apart: no "docker swarm init" and "join"')
    .option('--engine-only', 'plain Docker hosts, without mured: a peer to compare with')
    .action(up)
  lab
    .command('ls')
    .description('labs, their hosts, and how these are')
    .option('--json', 'for programs')
    .action(list)
  lab
    .command('down')
    .description('take a lab away, with everything in it')
    .option(...nameOption)
    .action(async ({ name }: NameOption) => {
      await labDown(name, say)
      say(`lab "${name}" is gone`)
    })
}

function registerHosts(lab: Command): void {
  lab
    .command('exec')
    .description('run a command in a host, where plain "docker" reaches Mure')
    .usage('[--name <name>] <host> -- <command...>')
    .argument('<host>')
    .argument('<command...>')
    .option(...nameOption)
    .passThroughOptions()
    .action(runCommand)
  const onHost = (name: string, description: string, act: (host: string, lab: string) => Promise<void>) =>
    lab
      .command(name)
      .description(description)
      .argument('<host>')
      .option(...nameOption)
      .action((host: string, { name: labName }: NameOption) => act(host, labName))
  onHost('stop', "cut a host's power", async (host, name) => {
    await stopHost(name, host, say)
    say(`${host} is off`)
  })
  onHost(
    'start',
    'switch a host on, its cable plugged in; ends when docker answers there',
    async (host, name) => {
      await bootHost(name, host, say)
      say(`${host} is on`)
    },
  )
  onHost('cut', "pull a host's network cable", async (host, name) => {
    await moveCable(name, host, 'down', say)
    say(`${host}: cable pulled`)
  })
  onHost('heal', "plug a host's network cable in again", async (host, name) => {
    await moveCable(name, host, 'up', say)
    say(`${host}: cable plugged in`)
  })
  lab
    .command('logs')
    .description("what a host's daemon has said, also before it was switched off")
    .argument('<host>')
    .argument('[daemon]', daemons.join(', '), 'mured')
    .option('-f, --follow', 'go on as it says more')
    .option(...nameOption)
    .action(logs)
  lab
    .command('forward')
    .description("lead ports of this machine's loopback to ports of a host")
    .argument('<host>')
    .argument(
      '<port...>',
      'of the host, or PORT-HERE:PORT-THERE; one that is taken becomes the next free one',
    )
    .option(...nameOption)
    .action(forward)
}

const say = (text: string) => process.stdout.write(`${text}\n`)

function wholeNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('It is not a whole number.')
  return Number(text)
}

function portPair(text: string): WantedForward {
  const [, here, there] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text) ?? []
  const [port, hostPort] = [Number(here), Number(there ?? here)]
  if (here === undefined || [port, hostPort].some((one) => one < 1 || one > 65_535))
    throw new InvalidArgumentError(`"${text}" is no port, and no pair of ports like 8000:80.`)
  return { port, hostPort }
}

interface UpCommandOptions extends NameOption {
  readonly managers?: number
  readonly workers?: number
  readonly swarm: boolean
  readonly engineOnly?: true
}

async function up(options: UpCommandOptions): Promise<void> {
  await ensurePackages(say)
  const started = performance.now()
  const { name, managers, workers, swarm, engineOnly } = options
  const kind = engineOnly === undefined ? undefined : 'engine'
  const lab = await labUp({ name, managers, workers, swarm, kind, say, signal: interrupted() })
  say(`lab "${name}" is up after ${((performance.now() - started) / 1000).toFixed(1)} s`)
  await describe(lab)
}

/** What was left undone is completed by another "up", or taken away by "down". */
function interrupted(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      controller.abort(
        new MureError('cancelled', 'interrupted: "mure lab up" goes on from here, "mure lab down" clears it'),
      )
    })
  return controller.signal
}

async function describe(lab: LabRecord): Promise<void> {
  say('')
  await printStatus([lab])
  say('')
  for (const { port, to } of lab.forwards) say(`localhost:${String(port)} leads to ${to}`)
  const flag = lab.name === defaultName ? '' : ` --name ${lab.name}`
  say(`Enter a host:  mure lab exec${flag} manager01 -- sh`)
  say(`Take it away:  mure lab down${flag}`)
}

async function list({ json }: { json?: boolean }): Promise<void> {
  if (json === true) say(JSON.stringify(await labStatus(), null, 2))
  else await printStatus()
}

async function printStatus(labs?: readonly LabRecord[]): Promise<void> {
  const columns = ['LAB', 'HOST', 'ADDRESS', 'POWER', 'CABLE', 'ENGINE', 'SWARM']
  const rows = (await labStatus(labs)).map((host) => ({
    LAB: host.lab,
    HOST: host.host,
    ADDRESS: host.address,
    POWER: host.power,
    CABLE: host.cable,
    ENGINE: host.engine ?? '-',
    SWARM: host.swarm ?? '-',
  }))
  say(table(columns, rows))
}

async function runCommand(hostName: string, words: string[], { name }: NameOption): Promise<void> {
  const lab = await requireLab(name)
  const command = words[0] === '--' ? words.slice(1) : words
  process.exitCode = await runInteractive(lab, hostOf(lab, hostName), command)
}

const daemons: readonly string[] = ['mured', 'dockerd', 'registry', 'init']

async function logs(
  hostName: string,
  daemon: string,
  options: NameOption & { follow?: true },
): Promise<void> {
  const lab = await requireLab(options.name)
  if (!daemons.includes(daemon))
    throw new MureError('invalid', `a host has logs of ${daemons.join(', ')}, not of "${daemon}"`)
  const file = logFile(lab.name, hostOf(lab, hostName).name, daemon)
  const child = spawn('tail', ['-n', '+1', ...(options.follow === true ? ['-F'] : []), file], {
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 1
}

async function forward(hostName: string, ports: string[], { name }: NameOption): Promise<void> {
  for (const { port, to } of await forwardPorts(name, hostName, ports.map(portPair), say))
    say(`localhost:${String(port)} leads to ${to}`)
}
