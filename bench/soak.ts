/**
 * Faults at random on a cluster of three managers and two workers that is given work meanwhile. After each handful all
 * is healed, and must be right again: what was acknowledged is there, each task runs once, ports and names answer.
 * Run: mure bench soak [minutes, default 5] [seed]
 */
import { errorText } from '#lib/errors.ts'
import { seededRandom } from '#lib/random.ts'
import { sleep } from '#lib/wait.ts'
import { TestCluster } from '../test/support/cluster.ts'
import { faults } from './support/soak-faults.ts'
import { wrongWith } from './support/soak-invariants.ts'
import { SoakWork } from './support/soak-work.ts'

const faultsInOne = 6
const rightWithinMs = 90_000
const lookEveryMs = 500

const minutes = Number(process.argv[2] ?? 5)
const seed = Number(process.argv[3] ?? Date.now() % 100_000)
const random = seededRandom(seed)
const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T
const startedMs = performance.now()
const say = (text: string) => {
  process.stdout.write(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(7)} s  ${text}\n`)
}

say(`seed ${String(seed)}`)
await using cluster = await TestCluster.up({ name: 'soak', managers: 3, workers: 2 })
const work = await SoakWork.begin(cluster, random)
const times: number[] = []
let isRight = await becomesRight()
while (isRight && performance.now() - startedMs < minutes * 60_000) {
  for (let count = 0; count < faultsInOne; count++) await oneFault()
  isRight = await becomesRight()
}
say(
  `${String(times.length)} times right again, after ${times.map((ms) => (ms / 1000).toFixed(0)).join(', ')} s`,
)
process.exitCode = isRight ? 0 : 1

/** One host at a time is out, so that a majority of the managers is there. */
async function oneFault(): Promise<void> {
  const host = pick(work.hosts)
  const name = pick(Object.keys(faults))
  say(`${name}: ${host}`)
  work.out = host
  const heal = await faults[name]?.(cluster, host)
  try {
    for (let count = 0; count < 2; count++) {
      say(`  ${await work.next()}`)
      await sleep(random.below(2_500))
    }
  } finally {
    await heal?.()
    work.out = undefined
  }
  await sleep(random.below(2_000))
}

async function becomesRight(): Promise<boolean> {
  const sinceMs = performance.now()
  await work.settle()
  for (;;) {
    const wrong = await wrongWith(cluster, work).catch((error: unknown) => [errorText(error)])
    const tookMs = performance.now() - sinceMs
    if (wrong.length === 0) {
      times.push(tookMs)
      say(`right after ${(tookMs / 1000).toFixed(1)} s`)
      return true
    }
    if (tookMs > rightWithinMs) {
      say(`not right after ${(tookMs / 1000).toFixed(0)} s:\n  ${wrong.join('\n  ')}`)
      return false
    }
    await sleep(lookEveryMs)
  }
}
