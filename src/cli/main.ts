import { Command } from 'commander'
import { errorText } from '#lib/errors.ts'
import { commands } from './commands.ts'

/** The `mure` command. Each subcommand is loaded when it is called, so that help is quick. */
async function main(args: readonly string[]): Promise<void> {
  const program = new Command('mure')
    .description('A container cluster orchestrator, driven by the docker CLI, docker-compose and kubectl.')
    .helpCommand(false)
    .showHelpAfterError('(see --help)')
    .enablePositionalOptions()
  const wanted = args.find((arg) => !arg.startsWith('-'))
  for (const { name, summary, load } of commands) {
    if (name === wanted) (await load()).register(program)
    else program.command(name).description(summary)
  }
  await program.parseAsync(args, { from: 'user' })
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`mure: ${errorText(error)}\n`)
  process.exitCode = 1
}
