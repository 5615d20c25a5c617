import type { Command } from 'commander'
import { stat } from 'node:fs/promises'
import { writeStreamWhole } from '#lib/atomic-file.ts'
import { DaemonClient } from '../client.ts'

export function register(program: Command): void {
  program
    .command('backup')
    .description('save the swarm of this manager: its objects, authority and keys')
    .argument('<file>', 'where to write it; it is replaced only by a backup that is whole')
    .option('-H, --host <url>', 'the daemon, as with docker')
    .addHelpText(
      'after',
      '\nA swarm whose managers are locked (autolock) is sealed with its unlock key: keep that key elsewhere.' +
        '\nAny other backup holds its own key: who can read the file can become your swarm.',
    )
    .action(async (file: string, options: { host?: string }) => {
      const client = new DaemonClient(options.host)
      const backup = await client.stream({ method: 'GET', path: '/mure/v1/backup' })
      await writeStreamWhole(file, backup)
      const { size } = await stat(file)
      process.stdout.write(`${file}: ${String(Math.ceil(size / 1024))} KiB\n`)
    })
}
