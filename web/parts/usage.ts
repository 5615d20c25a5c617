import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { UsageHistoryAnswer } from '../../src/api/dashboard/wire.ts'
import { call } from '../api.ts'
import { t } from '../i18n/index.ts'
import { bytesText } from '../state/format.ts'
import { plotOf } from '../state/plot.ts'
import type { PlotPoint } from '../state/plot.ts'

const refreshMs = 10_000
const spanMs = 3_600_000
const width = 440
const height = 96

interface UsageProps {
  readonly id: string
  /** What there is of it, or what it may use at most. */
  readonly cpus: number | undefined
  readonly memoryBytes: number | undefined
}

/** Processor and memory over the last hour. */
export function Usage({ id, cpus, memoryBytes }: UsageProps): ComponentChild {
  const [points, setPoints] = useState<UsageHistoryAnswer['points']>([])
  useEffect(() => {
    let isOver = false
    const look = () => {
      call<UsageHistoryAnswer>('GET', `/api/usage/${id}`).then(
        (answer) => {
          if (!isOver) setPoints(answer.points)
        },
        () => undefined,
      )
    }
    look()
    const timer = window.setInterval(look, refreshMs)
    return () => {
      isOver = true
      window.clearInterval(timer)
    }
  }, [id])
  if (points.length === 0) return h('p', { class: 'empty' }, t('noSamples'))
  const cpuText = (value: number) => `${value.toFixed(2)}${cpus === undefined ? '' : ` / ${String(cpus)}`}`
  const memoryText = (value: number) =>
    `${bytesText(value)}${memoryBytes === undefined ? '' : ` / ${bytesText(memoryBytes)}`}`
  return h(
    'div',
    { class: 'plots' },
    plot(
      t('cpu'),
      points.map(([at, cpu]) => ({ at, value: cpu })),
      cpuText,
    ),
    plot(
      t('memory'),
      points.map(([at, , memory]) => ({ at, value: memory })),
      memoryText,
    ),
  )
}

function plot(name: string, points: readonly PlotPoint[], text: (value: number) => string): ComponentChild {
  const now = Date.now()
  const { line, area, top } = plotOf(points, { from: now - spanMs, to: now, width, height })
  const last = points.at(-1)?.value ?? 0
  return h(
    'figure',
    { class: 'plot' },
    h('figcaption', null, h('span', null, name), h('b', null, text(last)), h('small', null, t('lastHour'))),
    h(
      'svg',
      {
        viewBox: `0 0 ${String(width)} ${String(height)}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${name}, ${t('lastHour')}: ${text(last)}`,
      },
      h('path', { class: 'plot-area', d: area }),
      h('path', { class: 'plot-line', d: line }),
    ),
    h('small', { class: 'plot-top' }, text(top)),
  )
}
