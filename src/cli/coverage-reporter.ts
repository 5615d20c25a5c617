import { dirname, relative } from 'node:path'
import { spec as SpecReporter } from 'node:test/reporters'
import type { TestEvent } from 'node:test/reporters'
import { root } from './tool.ts'
import { table } from './table.ts'

type Coverage = Extract<TestEvent, { type: 'test:coverage' }>['data']['summary']
type Counts = Pick<
  Coverage['totals'],
  'coveredLineCount' | 'totalLineCount' | 'coveredBranchCount' | 'totalBranchCount'
>

/** Node's spec reporter, with coverage as a line for each folder instead of one for each file. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const spec = new SpecReporter()
  spec.setEncoding('utf8')
  let coverage: Coverage | undefined
  for await (const event of events) {
    if (event.type === 'test:coverage') coverage = event.data.summary
    else spec.write(event)
    for (let text = spec.read() as string | null; text !== null; text = spec.read() as string | null)
      yield text
  }
  spec.end()
  for await (const text of spec) yield text as string
  if (coverage !== undefined) yield `${renderCoverage(coverage)}\n`
}

function renderCoverage({ files, totals }: Coverage): string {
  const folders = new Map<string, Counts[]>()
  for (const file of files) {
    const folder = dirname(relative(root, file.path)).split('/').slice(0, 3).join('/')
    folders.set(folder, [...(folders.get(folder) ?? []), file])
  }
  const rows = [...folders]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([folder, counts]) => row(folder, sum(counts)))
  return `coverage of the modules that unit tests load:\n${table(['FOLDER', 'LINES', 'BRANCHES'], [...rows, row('all', totals)])}`
}

const row = (folder: string, counts: Counts) => ({
  FOLDER: folder,
  LINES: percent(counts.coveredLineCount, counts.totalLineCount),
  BRANCHES: percent(counts.coveredBranchCount, counts.totalBranchCount),
})

const percent = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((part / whole) * 100).toFixed(1)}%`.padStart(6)

function sum(counts: readonly Counts[]): Counts {
  const total = (of: keyof Counts) => counts.reduce((before, file) => before + file[of], 0)
  return {
    coveredLineCount: total('coveredLineCount'),
    totalLineCount: total('totalLineCount'),
    coveredBranchCount: total('coveredBranchCount'),
    totalBranchCount: total('totalBranchCount'),
  }
}
