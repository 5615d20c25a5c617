import type { Command } from 'commander'
import { install } from '../install/installer.ts'
import { places } from '../install/files.ts'

export function register(program: Command): void {
  program
    .command('install')
    .description('make this machine a host of Mure: mured takes over the docker socket')
    .addHelpText(
      'after',
      `\nThe program goes to ${places.program}, the engine listens at its own socket from then on, and mure.service` +
        `\nanswers at /var/run/docker.sock. Options of the daemon are read from ${places.options}.` +
        '\nRun again, it brings a newer program in; containers are left alone then. "mure uninstall" puts all back.',
    )
    .action(() =>
      install((text) => {
        process.stdout.write(`${text}\n`)
      }),
    )
}
