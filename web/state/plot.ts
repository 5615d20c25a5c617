export interface PlotPoint {
  readonly at: number
  readonly value: number
}

export interface PlotFrame {
  readonly from: number
  readonly to: number
  readonly width: number
  readonly height: number
}

/** Without samples for so long the line is broken: nobody knows what was in between. */
const gapMs = 45_000

/** The paths of a line and of the area below it, and what the top edge stands for. */
export function plotOf(
  points: readonly PlotPoint[],
  { from, to, width, height }: PlotFrame,
): { line: string; area: string; top: number } {
  const shown = points.filter(({ at }) => at >= from && at <= to)
  const top = niceTop(Math.max(0, ...shown.map(({ value }) => value)))
  const x = (at: number) => round(((at - from) / (to - from)) * width)
  const y = (value: number) => round(height - (value / top) * height)
  let line = ''
  let area = ''
  let before: PlotPoint | undefined
  for (const point of shown) {
    const place = `${x(point.at)} ${y(point.value)}`
    if (before === undefined || point.at - before.at > gapMs) {
      if (before !== undefined) area += `L${x(before.at)} ${String(height)}Z`
      line += `M${place}`
      area += `M${x(point.at)} ${String(height)}L${place}`
    } else {
      line += `L${place}`
      area += `L${place}`
    }
    before = point
  }
  if (before !== undefined) area += `L${x(before.at)} ${String(height)}Z`
  return { line, area, top }
}

/** A little above the highest: 1, 2 or 5 of some power of ten. */
function niceTop(highest: number): number {
  if (highest <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(highest))
  return ([1, 2, 5].find((step) => step * power >= highest) ?? 10) * power
}

const round = (value: number): string => String(Math.round(value * 10) / 10)
