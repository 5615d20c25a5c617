import type { Command } from 'commander'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MureError } from '#lib/errors.ts'
import { ensurePackages } from '../prerequisites.ts'
import { root, runNode } from '../tool.ts'

const folder = join(root, 'bench')

export function register(program: Command): void {
  program
    .command('bench')
    .description('measure, beside a peer in the same run')
    .argument('[name]', 'which one; without it, they are listed')
    .argument('[options...]', 'what that one takes')
    .action(async (name: string | undefined, options: string[]) => {
      if (name === undefined) return list()
      if (!(await names()).includes(name))
        throw new MureError('invalid', `there is no bench "${name}": ${(await names()).join(', ')}`)
      await ensurePackages((text) => process.stdout.write(`${text}\n`))
      process.exitCode = await runNode([join(folder, `${name}.ts`), ...options])
    })
}

async function list(): Promise<void> {
  for (const name of await names()) {
    const source = await readFile(join(folder, `${name}.ts`), 'utf8')
    // Each opens with what it measures.
    const about = /^\/\*\*\n([\s\S]*?)\*\//.exec(source)?.[1] ?? ''
    process.stdout.write(`${name}\n${about.replaceAll(/^ \*/gm, ' ')}\n`)
  }
}

async function names(): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => entry.name.replace(/\.ts$/, ''))
    .sort()
}
