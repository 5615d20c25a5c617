/**
 * What the facade costs: the same work through it and at the engine's own socket, alternating, median of 5.
 * Run: node bench/facade-passthrough.ts [size of the image in MiB, default 1024]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { exec } from '#lib/exec.ts'
import { startFacadeHost } from '../test/integration/facade/host.ts'

const rounds = 5
/** Containers are started so often in one measurement, or the noise of one start would hide the difference. */
const runsInOne = 5
const allowed = 1.1

const sizeMib = Number(process.argv[2] ?? 1024)

await using host = await startFacadeHost()
const archive = join(host.engine.folder, 'big.tar')
await exec('sh', ['-ec', makeImage(host.engine.folder, archive)], { timeoutMs: 300_000 })

const work: Readonly<Record<string, (socket: string) => Promise<void>>> = {
  'docker run --rm busybox true': async (socket) => {
    for (let i = 0; i < runsInOne; i++) await cli(socket, ['run', '--rm', 'busybox', 'true'])
  },
  [`docker load, ${String(sizeMib)} MiB`]: (socket) => cli(socket, ['load', '-q', '-i', archive]),
  [`docker save, ${String(sizeMib)} MiB`]: (socket) => cli(socket, ['save', 'big']),
}

let isWithin = true
for (const [name, act] of Object.entries(work)) {
  const times: Record<'direct' | 'facade', number[]> = { direct: [], facade: [] }
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (['direct', 'facade'] as const) : (['facade', 'direct'] as const)
    for (const way of order) {
      if (name.startsWith('docker load')) await cli(host.engine.socketPath, ['rmi', '-f', 'big'])
      const started = performance.now()
      await act(way === 'direct' ? host.engine.socketPath : host.socketPath)
      times[way].push(performance.now() - started)
    }
  }
  const ratio = median(times.facade) / median(times.direct)
  isWithin &&= ratio <= allowed
  const milliseconds = (way: 'direct' | 'facade') => `${median(times[way]).toFixed(0)} ms`
  process.stdout.write(
    `${name}: facade ${milliseconds('facade')}, direct ${milliseconds('direct')}, ratio ${ratio.toFixed(3)}\n`,
  )
}
process.exitCode = isWithin ? 0 : 1

/** Random bytes: what a disk or a pipe could shrink would not be the work of an image. */
function makeImage(folder: string, file: string): string {
  return `
    mkdir -p ${folder}/big && head -c ${String(sizeMib)}M /dev/urandom > ${folder}/big/bytes
    tar -C ${folder}/big -c . | docker -H unix://${host.engine.socketPath} import - big:latest
    docker -H unix://${host.engine.socketPath} save -o ${file} big && rm -r ${folder}/big`
}

async function cli(socket: string, args: readonly string[]): Promise<void> {
  const nothing = openSync('/dev/null', 'w')
  const child = spawn('docker', ['-H', `unix://${socket}`, ...args], {
    stdio: ['ignore', nothing, 'inherit'],
  })
  closeSync(nothing)
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`docker ${args.join(' ')} failed`)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
