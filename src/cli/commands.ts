import type { Command } from 'commander'

/** What each file in `commands/` exports. */
interface CommandModule {
  register(program: Command): void
}

/** The subcommands in the order of the help. Each lives in `commands/<name>.ts`. */
export const summaries: Readonly<Record<string, string>> = {
  demo: 'set up a cluster of virtual hosts and show the whole product at work',
  lab: 'virtual hosts on this machine, to learn on and to rehearse failures',
  daemon: 'run mured in the foreground, beside an engine that already runs',
  top: 'what nodes and tasks use now, live',
  dashboard: 'a token for the dashboard in the browser, and its address',
  install: 'make this machine a host of Mure: mured takes over the docker socket',
  uninstall: 'put back what "install" changed',
  cluster: 'show and change the settings that docker has no words for',
  plan: 'what would happen if: a node drained or lost, a service scaled, a file deployed',
  rebalance: 'move tasks to nodes that have more room, such as those that came back',
  cron: 'services that run by the clock: see them, run one now, pause and resume',
  explain: 'why a task is where it is, or nowhere',
  image: 'put images on nodes without any registry',
  registry: 'a registry in the cluster, trusted by all nodes',
  backup: 'save the cluster: its objects, authority and keys',
  restore: 'start a cluster from a backup',
  ingress: 'the HTTP ingress: an HAProxy configured by the labels of services',
  network: 'look after the networks of the cluster: doctor',
  bench: 'measure, beside a peer in the same run',
  test: 'set up and pass every test',
  check: 'types, lint, format, layers, dead code',
}

/** Loads one subcommand. Only the one that is called is loaded, so that help is quick. */
export async function loadCommand(name: string): Promise<CommandModule> {
  return (await import(`./commands/${name}.ts`)) as CommandModule
}
