import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { hostOf } from '#lab/record.ts'
import type { LabRecord } from '#lab/record.ts'
import { runIn } from '#lab/run.ts'
import { root } from '../tool.ts'

const commandTimeoutMs = 120_000

/**
 * Where the demo is shown, files named as from the root of the project: what is typed on the manager, what is answered, and how long each step took. With
 * `isStepwise` the reader says when to go on.
 */
export class Stage {
  readonly #lab: LabRecord
  readonly #wait: Wait
  readonly #isStepwise: boolean
  #started = performance.now()
  #step = 0

  constructor(lab: LabRecord, wait: Wait, options: { isStepwise: boolean }) {
    this.#lab = lab
    this.#wait = wait
    this.#isStepwise = options.isStepwise
  }

  say(text: string): void {
    say(text)
  }

  /** The title of the next step. */
  async step(text: string): Promise<void> {
    if (this.#isStepwise && this.#step > 0) {
      const asked = performance.now()
      await untilEnter(this.#wait.signal)
      // Reading is not the product's time.
      this.#started += performance.now() - asked
    }
    this.#step += 1
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(0)
    title(`${String(this.#step + 1)}. ${text}`, `${seconds} s`)
    this.#wait.note(text)
  }

  /** Runs docker on the manager, shown as one would type it, with what it says. */
  async docker(...args: string[]): Promise<void> {
    this.say(`manager01 $ docker ${args.join(' ').replaceAll(`${root}/`, '')}`)
    const said = (await this.#run(args)).trimEnd()
    if (said !== '') this.say(said)
  }

  /** The same for mure's own commands. */
  async mure(...args: string[]): Promise<void> {
    this.say(`manager01 $ mure ${args.join(' ')}`)
    this.say(await this.askMure(...args))
  }

  /** What mure answers on the manager; nothing is shown. */
  async askMure(...args: string[]): Promise<string> {
    const command = [join(root, 'mure'), ...args]
    return (await runIn(this.#lab, hostOf(this.#lab, 'manager01'), command, this.#limits)).trim()
  }

  /** Builds an image of a folder, which the classic builder says much about. */
  async build(image: string, folder: string): Promise<void> {
    this.say(`manager01 $ docker build --tag ${image} ${folder.replace(`${root}/`, '')}`)
    const command = ['env', 'DOCKER_BUILDKIT=0', 'docker', 'build', '--quiet', '--tag', image, folder]
    await runIn(this.#lab, hostOf(this.#lab, 'manager01'), command, this.#limits)
  }

  /** What docker answers on the manager; nothing is shown. */
  async ask(...args: string[]): Promise<string> {
    return (await this.#run(args)).trim()
  }

  async until(what: string, look: () => Promise<boolean>): Promise<void> {
    this.#wait.note(what)
    while (!(await look())) await sleep(100, this.#wait.signal)
  }

  /** The nodes that a service's tasks run on, one for each. */
  async runningOn(service: string): Promise<string[]> {
    const format = '{{.Node}} {{.CurrentState}}'
    const text = await this.ask(
      ...['service', 'ps', '--filter', 'desired-state=running', '--format', format, service],
    )
    return text
      .split('\n')
      .filter((line) => / Running /.test(line))
      .map((line) => line.split(' ')[0] ?? '')
  }

  async untilRunning(service: string, count: number, besides = ''): Promise<void> {
    await this.until(`${String(count)} tasks of ${service} to run`, async () => {
      const nodes = await this.runningOn(service)
      return nodes.filter((node) => node !== besides).length >= count
    })
  }

  get #limits() {
    return { timeoutMs: commandTimeoutMs, signal: this.#wait.signal }
  }

  #run(args: readonly string[]): Promise<string> {
    return runIn(this.#lab, hostOf(this.#lab, 'manager01'), ['docker', ...args], this.#limits)
  }
}

export const say = (text: string) => process.stdout.write(`${text}\n`)

export function title(text: string, aside = ''): void {
  const isTerminal = process.stdout.isTTY
  const bold = isTerminal ? `\u001b[1m${text}\u001b[0m` : text
  say(`\n${bold}${aside === '' ? '' : isTerminal ? `  \u001b[2m${aside}\u001b[0m` : `  (${aside})`}`)
}

async function untilEnter(signal: AbortSignal): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    await terminal.question('\n[Enter] ', { signal })
  } finally {
    terminal.close()
  }
}
