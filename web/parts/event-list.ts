import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { EventRow } from '../../src/api/dashboard/wire.ts'
import { t } from '../i18n/index.ts'
import { timeText } from '../state/format.ts'
import type { Tone } from '../state/derive.ts'

const tones: Readonly<Record<string, Tone>> = {
  running: 'good',
  create: 'good',
  complete: 'good',
  failed: 'bad',
  rejected: 'bad',
  orphaned: 'bad',
  pending: 'busy',
  update: 'busy',
}

/** The latest first. */
export function EventList({ events }: { events: readonly EventRow[] }): ComponentChild {
  if (events.length === 0) return h('p', { class: 'empty' }, t('nothing'))
  return h(
    'ol',
    { class: 'events' },
    events
      .toReversed()
      .map((event) =>
        h(
          'li',
          { key: `${String(event.at)}${event.id}${event.action}` },
          h('time', { dateTime: new Date(event.at).toISOString() }, timeText(event.at)),
          h(
            'span',
            { class: `badge ${tones[event.action] ?? 'idle'}` },
            h('i', { class: 'dot' }),
            event.action,
          ),
          h('span', { class: 'what' }, `${event.kind} `, h('b', null, event.name)),
          h('span', { class: 'text' }, event.text),
        ),
      ),
  )
}
