import type { Command } from 'commander'
import { uninstall } from '../install/installer.ts'

export function register(program: Command): void {
  program
    .command('uninstall')
    .description('put back what "mure install" changed')
    .option('--purge', 'remove what the daemon keeps too: its keys and its part of the store', false)
    .option('--force', 'though this host is part of a swarm', false)
    .action((options: { purge: boolean; force: boolean }) =>
      uninstall(options, (text) => {
        process.stdout.write(`${text}\n`)
      }),
    )
}
