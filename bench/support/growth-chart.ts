interface Point {
  readonly x: number
  readonly y: number
}

const width = 640
const height = 320
const margin = { left: 60, right: 20, top: 20, bottom: 50 }

/**
 * An SVG of what grows with a size on a logarithmic axis: measured points, and beside them the curve that grows as the
 * logarithm does, through the first point.
 */
export function growthChart(
  points: readonly Point[],
  names: { readonly x: string; readonly y: string },
): string {
  const first = points[0] ?? { x: 1, y: 1 }
  const last = points.at(-1) ?? first
  const logarithm = points.map(({ x }) => ({ x, y: (first.y * Math.log2(x)) / Math.log2(first.x) }))
  const top = 1.2 * Math.max(...points.map(({ y }) => y), ...logarithm.map(({ y }) => y))
  const [from, to] = [Math.log10(first.x), Math.log10(last.x)]
  const xOf = (x: number) =>
    margin.left + ((Math.log10(x) - from) / (to - from)) * (width - margin.left - margin.right)
  const yOf = (y: number) => height - margin.bottom - (y / top) * (height - margin.top - margin.bottom)
  const at = ({ x, y }: Point) => `${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`
  const text = (x: number, y: number, words: string, anchor: string) =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`
  const ticks = Array.from({ length: 5 }, (_, index) => (top * index) / 4)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${ticks.map((y) => `<line x1="${String(margin.left)}" x2="${String(width - margin.right)}" y1="${yOf(y).toFixed(1)}" y2="${yOf(y).toFixed(1)}" stroke="#ddd"/>${text(margin.left - 6, yOf(y) + 4, y.toFixed(0), 'end')}`).join('\n')}
${points.map(({ x }) => text(xOf(x), height - margin.bottom + 18, x.toLocaleString('en'), 'middle')).join('\n')}
<polyline points="${logarithm.map(at).join(' ')}" fill="none" stroke="#999" stroke-dasharray="5 4"/>
<polyline points="${points.map(at).join(' ')}" fill="none" stroke="#0969da" stroke-width="2"/>
${points.map((point) => `<circle cx="${xOf(point.x).toFixed(1)}" cy="${yOf(point.y).toFixed(1)}" r="4" fill="#0969da"/>${text(xOf(point.x), yOf(point.y) - 8, point.y.toFixed(1), 'middle')}`).join('\n')}
${text(width / 2, height - 12, names.x, 'middle')}
${text(margin.left + 4, margin.top + 4, `${names.y} (dashed: growth by the logarithm)`, 'start')}
</svg>
`
}
