import type { Command } from 'commander'
import { runChecks } from '../checks.ts'

export function register(program: Command): void {
  program
    .command('check')
    .description('types, lint, format, layers and dead code, each with its time')
    .action(async () => {
      const passed = await runChecks((text) => process.stdout.write(`${text}\n`))
      if (!passed) process.exitCode = 1
    })
}
