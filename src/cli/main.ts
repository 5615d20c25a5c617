import { Command, CommanderError } from 'commander'
import { errorText, isMureError } from '#lib/errors.ts'
import { loadCommand, summaries } from './commands.ts'

const failed = 1
/** The command line itself is wrong; trying again as it is cannot help. */
const usage = 2

async function main(args: readonly string[]): Promise<void> {
  const program = new Command('mure')
    .description('A container cluster orchestrator, driven by the docker CLI, docker-compose and kubectl.')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => {
        write(text.replace(/^error: /, 'mure: '))
      },
    })
  const wanted = args.find((arg) => !arg.startsWith('-'))
  for (const [name, summary] of Object.entries(summaries)) {
    if (name === wanted) (await loadCommand(name)).register(program)
    else program.command(name).description(summary)
  }
  await program.parseAsync(args, { from: 'user' })
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  // Commander has said what it had to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage
  process.stderr.write(`mure: ${errorText(error)}\n`)
  return isMureError(error, 'invalid') ? usage : failed
}
