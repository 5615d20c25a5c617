import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { EventRow } from '../../src/api/dashboard/wire.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { EventList } from '../parts/event-list.ts'
import { matches } from '../state/derive.ts'
import { Head } from './head.ts'

export function Events(): ComponentChild {
  const { state, query } = app
  const rows: readonly EventRow[] = state.events.filter((event) =>
    matches(query, event.kind, event.name, event.action, event.text),
  )
  return h(
    'section',
    { class: 'listing' },
    h(Head, { title: t('events'), count: rows.length }),
    h(EventList, { events: rows }),
  )
}
