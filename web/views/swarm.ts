import { Component, h } from 'preact'
import type { ComponentChild } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { NodeRow, TaskRow } from '../../src/api/dashboard/wire.ts'
import { app } from '../app.ts'
import type { Density } from '../app.ts'
import { t } from '../i18n/index.ts'
import { swatch } from '../parts/badge.ts'
import { icon } from '../parts/icon.ts'
import { nowhere } from '../state/cluster.ts'
import {
  byName,
  byPlace,
  hasTile,
  matches,
  sortedNodes,
  taskName,
  toneOfNode,
  totalsOf,
} from '../state/derive.ts'
import { bytesText } from '../state/format.ts'
import { Tile } from './tile.ts'

type Shown = Exclude<Density, 'auto'>

/** A column for each node with its resources, a tile for each task. */
export function Swarm(): ComponentChild {
  const { state } = app
  const nodes = sortedNodes(state)
  const density = densityOf()
  const waiting = tilesOf(nowhere)
  return h(
    'section',
    { class: `swarm ${density}` },
    h(Summary, null),
    h(Legend, null),
    h(
      'div',
      { class: 'columns' },
      waiting.length > 0 && h(Waiting, { tasks: waiting, density }),
      nodes.map((node) =>
        h(NodeColumn, {
          key: node.id,
          node,
          density,
          stamp: state.nodeStamp(node.id),
          query: app.query,
          minute: Math.floor(Date.now() / 5_000) + app.usageStamp,
        }),
      ),
    ),
    nodes.length === 0 && h('p', { class: 'empty' }, t('connecting')),
  )
}

/** Rich tiles while there are few, dots when there are thousands. */
function densityOf(): Shown {
  if (app.density !== 'auto') return app.density
  const { tasks, nodes } = app.state
  const each = tasks.size / Math.max(1, nodes.size)
  if (tasks.size <= 150 && each <= 14) return 'cards'
  return each <= 24 && nodes.size <= 40 ? 'chips' : 'dots'
}

function tilesOf(node: string): TaskRow[] {
  const now = Date.now()
  const tiles: TaskRow[] = []
  for (const task of app.state.tasksOfNode(node))
    if (hasTile(task, now) && matches(app.query, taskName(task), task.state, task.image, nodeNameOf(task)))
      tiles.push(task)
  return tiles.sort(byPlace)
}

const nodeNameOf = (task: TaskRow): string => app.state.nodes.get(task.node)?.name ?? ''

function Summary(): ComponentChild {
  const totals = totalsOf(app.state)
  const figure = (value: number, of: number, text: string) =>
    h(
      'div',
      { class: value < of ? 'figure short' : 'figure' },
      h('b', null, value, h('small', null, ` / ${String(of)}`)),
      h('span', null, text),
    )
  return h(
    'div',
    { class: 'summary' },
    figure(totals.nodesReady, totals.nodes, t('nodesReady')),
    figure(totals.running, totals.wanted, t('tasksRunning')),
    figure(totals.servicesWell, totals.services, t('servicesWell')),
    h(
      'div',
      { class: 'segments', role: 'group', 'aria-label': t('density') },
      (['cards', 'chips', 'dots'] as const).map((one) =>
        h(
          'button',
          {
            key: one,
            'aria-pressed': densityOf() === one,
            onClick: () => {
              app.density = app.density === one ? 'auto' : one
              app.changed()
            },
          },
          t(one),
        ),
      ),
    ),
  )
}

const mostInLegend = 40

/** The colours of services; each leads to its own. */
function Legend(): ComponentChild {
  const services = [...app.state.services.values()].sort(byName)
  return h(
    'div',
    { class: 'legend' },
    services.slice(0, mostInLegend).map((service) =>
      h(
        'button',
        {
          key: service.id,
          class: 'chip',
          onClick: () => {
            app.open('service', service.id)
          },
        },
        swatch(service.id),
        service.name,
      ),
    ),
  )
}

function Waiting({ tasks, density }: { tasks: readonly TaskRow[]; density: Shown }): ComponentChild {
  return h(
    'article',
    { class: 'column waiting' },
    h('header', null, h('h2', null, t('waiting')), h('span', { class: 'count' }, tasks.length)),
    h(
      'div',
      { class: 'tiles' },
      tasks.slice(0, 500).map((task) => h(Tile, { key: task.id, task, isRich: density === 'cards' })),
    ),
  )
}

interface ColumnProps {
  readonly node: NodeRow
  readonly density: Shown
  /** Nothing of the node has changed while this has not. */
  readonly stamp: number
  readonly query: string
  /** Grows by itself: failed tasks leave after a while, and use changes. */
  readonly minute: number
}

class NodeColumn extends Component<ColumnProps> {
  override shouldComponentUpdate(next: ColumnProps): boolean {
    const { props } = this
    return (
      next.stamp !== props.stamp ||
      next.density !== props.density ||
      next.query !== props.query ||
      next.minute !== props.minute
    )
  }

  override render({ node, density }: ColumnProps): ComponentChild {
    const tone = toneOfNode(node)
    const tiles = tilesOf(node.id)
    const open = () => {
      app.open('node', node.id)
    }
    return h(
      'article',
      { class: `column ${tone}`, 'aria-label': node.name },
      h(
        'header',
        null,
        h(
          'button',
          { class: 'column-name', onClick: open },
          h('i', { class: `dot ${tone}` }),
          h('h2', null, node.name),
          node.leader === true && h('span', { class: 'leader', title: t('leader') }, icon('star')),
        ),
        h('span', { class: 'count' }, tiles.length),
      ),
      h(
        'p',
        { class: 'column-facts' },
        h('span', null, t(node.role)),
        node.availability !== 'active' && h('span', { class: 'busy-text' }, node.availability),
        node.state !== 'ready' && h('span', { class: 'bad-text' }, node.state),
        h('span', null, `${String(node.cpus)} ${t('cpu')}`),
        h('span', null, bytesText(node.memoryBytes)),
      ),
      density !== 'dots' && h(Gauges, { node }),
      h(WhenInSight, { tasks: tiles, isRich: density === 'cards' }),
    )
  }
}

/** How busy the node is. */
function Gauges({ node }: { node: NodeRow }): ComponentChild {
  const [cpu = 0, memory = 0] = app.usage.nodes[node.id] ?? []
  if (app.usage.nodes[node.id] === undefined) return null
  const gauge = (name: string, share: number) => {
    const percent = `${String(Math.round(Math.min(1, share) * 100))}%`
    return h(
      'div',
      null,
      h('div', { class: 'gauge-text' }, h('span', null, name), h('span', null, percent)),
      h(
        'div',
        {
          class: 'gauge',
          role: 'meter',
          'aria-label': name,
          'aria-valuenow': Math.round(share * 100),
          'aria-valuemin': 0,
          'aria-valuemax': 100,
        },
        h('i', { style: { '--share': percent } }),
      ),
    )
  }
  return h(
    'div',
    { class: 'gauges' },
    gauge(t('cpu'), cpu / Math.max(1, node.cpus)),
    gauge(t('memory'), memory / Math.max(1, node.memoryBytes)),
  )
}

/** Tiles of columns that are out of sight are not drawn: their place is kept by an estimate. */
function WhenInSight({ tasks, isRich }: { tasks: readonly TaskRow[]; isRich: boolean }): ComponentChild {
  const box = useRef<HTMLDivElement>(null)
  const [isInSight, setInSight] = useState(false)
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const observer = new IntersectionObserver(
      (entries) => {
        setInSight(entries.at(-1)?.isIntersecting === true)
      },
      { rootMargin: '300px' },
    )
    observer.observe(element)
    return () => {
      observer.disconnect()
    }
  }, [])
  return h(
    'div',
    { class: 'tiles', ref: box, style: { '--tiles': String(tasks.length) }, 'data-drawn': isInSight },
    isInSight && tasks.map((task) => h(Tile, { key: task.id, task, isRich })),
  )
}
