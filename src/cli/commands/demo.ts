import type { Command } from 'commander'
import { sleep, startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { stopHost } from '#lab/operations.ts'
import { hostOf } from '#lab/record.ts'
import type { LabRecord } from '#lab/record.ts'
import { runIn } from '#lab/run.ts'
import { labUp } from '#lab/up.ts'
import { ensurePackages } from '../prerequisites.ts'

const labName = 'demo'
const image = 'registry:5000/hello:latest'

export function register(program: Command): void {
  program
    .command('demo')
    .description('set up a cluster of virtual hosts and show the product at work')
    .action(demo)
}

const say = (text: string) => process.stdout.write(`${text}\n`)
const title = (text: string) => {
  say(`\n\u001b[1m${text}\u001b[0m`)
}

/** The workshop's topology and first steps, each by the very docker command that does it. */
async function demo(): Promise<void> {
  await ensurePackages(say)
  using wait = startWait({ timeoutMs: 300_000, what: 'the demo' })
  title('1. A registry, a manager and three workers, each a host of its own')
  const lab = await labUp({ name: labName, managers: 1, workers: 3, swarm: true, kind: 'mure', say })
  const docker = shell(lab)

  title('2. The hosts are one cluster')
  await docker(['node', 'ls'])

  title('3. An image is built and pushed')
  await build(lab)
  await docker(['push', '--quiet', image])

  title('4. A service, scaled from 1 to 6 across four hosts')
  if ((await ask(lab, ['service', 'ls', '--quiet', '--filter', 'name=hello'])) !== '')
    await docker(['service', 'rm', 'hello'])
  await docker(['service', 'create', '--detach', '--name', 'hello', image])
  await running(lab, 1, wait)
  await docker(['service', 'scale', '--detach', 'hello=6'])
  await running(lab, 6, wait)
  await docker(['service', 'ps', '--filter', 'desired-state=running', 'hello'])

  title("5. A worker's power is cut, and its tasks move")
  say('$ mure lab stop --name demo worker01')
  const started = performance.now()
  await stopHost(labName, 'worker01', say)
  await nodeDown(lab, 'worker01', wait)
  const down = performance.now()
  await running(lab, 6, wait, 'worker01')
  const seconds = (until: number) => ((until - started) / 1000).toFixed(1)
  say(
    `worker01 was known to be down after ${seconds(down)} s, and all six ran again after ${seconds(performance.now())} s`,
  )
  await docker(['node', 'ls'])
  await docker(['service', 'ps', 'hello'])

  title('The cluster goes on running')
  say('  go in:            ./mure lab exec --name demo manager01 -- docker node ls')
  say('  power back on:    ./mure lab start --name demo worker01')
  say('  a shell there:    ./mure lab exec --name demo manager01 -- sh')
  say('  remove it all:    ./mure lab down --name demo')
}

/** Shows a docker command as one would type it, and what it says. */
function shell(lab: LabRecord): (args: readonly string[]) => Promise<void> {
  const manager = hostOf(lab, 'manager01')
  return async (args) => {
    say(`manager01 $ docker ${args.join(' ')}`)
    const output = await runIn(lab, manager, ['docker', ...args], { timeoutMs: 120_000 })
    say(output.trimEnd())
  }
}

/** What docker answers on the manager. */
async function ask(lab: LabRecord, args: readonly string[]): Promise<string> {
  return (await runIn(lab, hostOf(lab, 'manager01'), ['docker', ...args])).trim()
}

const dockerfile = `FROM registry:5000/busybox:latest
RUN mkdir -p /www && echo "Hello from Mure" > /www/index.html
EXPOSE 8080
CMD ["sh", "-c", "trap 'exit 0' TERM; httpd -f -p 8080 -h /www & wait"]
`

async function build(lab: LabRecord): Promise<void> {
  say(`manager01 $ docker build --tag ${image} - <<.\n${dockerfile}.`)
  const command = ['env', 'DOCKER_BUILDKIT=0', 'docker', 'build', '--quiet', '--tag', image, '-']
  say(
    (
      await runIn(lab, hostOf(lab, 'manager01'), command, { input: dockerfile, timeoutMs: 120_000 })
    ).trimEnd(),
  )
}

async function running(lab: LabRecord, count: number, wait: Wait, besides = ''): Promise<void> {
  const format = ['--filter', 'desired-state=running', '--format', '{{.Node}} {{.CurrentState}}']
  for (;;) {
    const text = await ask(lab, ['service', 'ps', ...format, 'hello'])
    const tasks = text.split('\n').filter((line) => / Running /.test(line) && !line.startsWith(`${besides} `))
    if (tasks.length >= count) return
    wait.note(`${String(count)} tasks to run: ${String(tasks.length)} do`)
    await sleep(50, wait.signal)
  }
}

async function nodeDown(lab: LabRecord, node: string, wait: Wait): Promise<void> {
  for (;;) {
    if ((await ask(lab, ['node', 'inspect', '--format', '{{.Status.State}}', node])) === 'down') return
    wait.note(`${node} to be Down`)
    await sleep(50, wait.signal)
  }
}
