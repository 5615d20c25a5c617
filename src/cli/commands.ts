import type { Command } from 'commander'

/** A subcommand: known by name and summary, loaded on demand. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  load: () => Promise<{ register(program: Command): void }>
}

export const commands: readonly CommandEntry[] = [
  {
    name: 'demo',
    summary: 'set up a cluster of virtual hosts and show the product at work',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'lab',
    summary: 'virtual hosts on this machine, to learn on and to rehearse failures',
    load: () => import('./commands/lab.ts'),
  },
  {
    name: 'daemon',
    summary: 'run mured in the foreground, beside an engine that already runs',
    load: () => import('./commands/daemon.ts'),
  },
  { name: 'test', summary: 'set up and pass every test', load: () => import('./commands/test.ts') },
  {
    name: 'check',
    summary: 'types, lint, format, layers, dead code',
    load: () => import('./commands/check.ts'),
  },
]
