import { h } from 'preact'
import type { ComponentChild, ComponentChildren } from 'preact'
import { app } from '../app.ts'
import type { PanelKind } from '../state/route.ts'

export interface Tab {
  readonly id: string
  readonly title: string
  content(): ComponentChildren
}

/** Arrow keys move between the tabs, as everywhere. */
export function Tabs(props: {
  kind: PanelKind
  id: string
  present: string
  tabs: readonly Tab[]
}): ComponentChild {
  const { kind, id, tabs } = props
  const present = tabs.find((tab) => tab.id === props.present) ?? tabs[0]
  const go = (tab: Tab | undefined) => {
    if (tab !== undefined) app.open(kind, id, tab.id)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0 || present === undefined) return
    const next = tabs[(tabs.indexOf(present) + step + tabs.length) % tabs.length]
    go(next)
    document.getElementById(`tab-${next?.id ?? ''}`)?.focus()
  }
  return h(
    'div',
    { class: 'tabs' },
    h(
      'div',
      { role: 'tablist', onKeyDown },
      tabs.map((tab) =>
        h(
          'button',
          {
            key: tab.id,
            id: `tab-${tab.id}`,
            role: 'tab',
            'aria-selected': tab === present,
            'aria-controls': 'tab-content',
            tabIndex: tab === present ? 0 : -1,
            onClick: () => {
              go(tab)
            },
          },
          tab.title,
        ),
      ),
    ),
    h(
      'div',
      {
        role: 'tabpanel',
        id: 'tab-content',
        class: 'tab-content',
        'aria-labelledby': `tab-${present?.id ?? ''}`,
      },
      present?.content(),
    ),
  )
}
