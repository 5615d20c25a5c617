import type { Command } from 'commander'
import { createReadStream } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { MureError } from '#lib/errors.ts'
import { DaemonClient } from '../client.ts'

interface Options {
  host?: string
  listenAddr?: string
  advertiseAddr?: string
  dataPathAddr?: string
}

export function register(program: Command): void {
  program
    .command('restore')
    .description('start a swarm from a backup, with this host as its only manager')
    .argument('<file>', 'what "mure backup" wrote')
    .option('-H, --host <url>', 'the daemon, as with docker')
    .option('--advertise-addr <address>', 'as with "docker swarm init"')
    .option('--listen-addr <address>', 'as with "docker swarm init"')
    .option('--data-path-addr <address>', 'as with "docker swarm init"')
    .addHelpText(
      'after',
      '\nThe host must not be part of a swarm. At the address of a manager of the backup it takes that manager’s place,' +
        '\nand its workers and containers are found again; the other managers have to leave and join anew.' +
        '\nA locked backup needs its unlock key: it is asked for, or taken from MURE_UNLOCK_KEY.',
    )
    .action(async (file: string, options: Options) => {
      await access(file, constants.R_OK).catch((error: unknown) => {
        throw new MureError('invalid', `${file} cannot be read`, { cause: error })
      })
      const given = process.env['MURE_UNLOCK_KEY']
      try {
        await restore(file, options, given)
      } catch (error) {
        const isLocked = error instanceof MureError && /is locked/.test(error.message)
        if (!isLocked || given !== undefined || !process.stdin.isTTY) throw error
        await restore(file, options, await askForKey())
      }
    })
}

async function restore(file: string, options: Options, unlockKey: string | undefined): Promise<void> {
  const client = new DaemonClient(options.host)
  const { NodeID } = await client.json<{ NodeID: string }>({
    method: 'POST',
    path: '/mure/v1/restore',
    query: {
      listenAddress: options.listenAddr,
      advertiseAddress: options.advertiseAddr,
      dataPathAddress: options.dataPathAddr,
    },
    headers: unlockKey === undefined ? {} : { 'mure-unlock-key': unlockKey },
    body: createReadStream(file),
  })
  process.stdout.write(`Swarm restored: this node (${NodeID}) is its manager now.\n`)
}

async function askForKey(): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return await terminal.question('Please enter unlock key: ')
  } finally {
    terminal.close()
  }
}
