import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { NodeRow, ServiceRow, TaskRow } from '../../src/api/dashboard/wire.ts'
import { app } from '../app.ts'
import { toneOfNode, toneOfService, toneOfTask } from '../state/derive.ts'
import type { ServiceCounts, Tone } from '../state/derive.ts'

/** A word with a dot in the colour of how things are; never the colour alone. */
export const badge = (tone: Tone, text: string): ComponentChild =>
  h('span', { class: `badge ${tone}` }, h('i', { class: 'dot' }), text)

export const taskBadge = (task: TaskRow): ComponentChild =>
  badge(toneOfTask(task), task.health === 'unhealthy' ? 'unhealthy' : task.state)

export const serviceBadge = (service: ServiceRow, counts: ServiceCounts): ComponentChild =>
  badge(toneOfService(service, counts), `${String(counts.running)} / ${String(counts.wanted)}`)

export const nodeBadge = (node: NodeRow): ComponentChild =>
  badge(toneOfNode(node), node.availability === 'active' ? node.state : `${node.state}, ${node.availability}`)

/** The colour that a service has everywhere on the page. */
export const swatch = (service: string): ComponentChild =>
  h('i', { class: 'swatch', style: { '--hue': String(app.state.hueOf(service)) }, 'aria-hidden': 'true' })
