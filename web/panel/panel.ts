import { h } from 'preact'
import type { ComponentChild, ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { icon } from '../parts/icon.ts'
import type { Route } from '../state/route.ts'
import { NodePanel } from './node-panel.ts'
import { ServicePanel } from './service-panel.ts'
import { TaskPanel } from './task-panel.ts'

type OpenPanel = NonNullable<Route['panel']>

/** What is open beside the view. */
export function Panel({ panel }: { panel: OpenPanel }): ComponentChild {
  const element = useRef<HTMLElement>(null)
  useEffect(() => {
    element.current?.focus()
  }, [])
  return h(
    'aside',
    { class: 'panel', ref: element, tabIndex: -1, 'aria-label': t(panel.kind) },
    h(
      'button',
      {
        class: 'tool panel-close',
        'aria-label': t('close'),
        onClick: () => {
          app.closePanel()
        },
      },
      icon('close'),
    ),
    contentOf(panel),
  )
}

function contentOf({ kind, id, tab }: OpenPanel): ComponentChildren {
  switch (kind) {
    case 'service':
      return h(ServicePanel, { id, tab })
    case 'task':
      return h(TaskPanel, { id, tab })
    case 'node':
      return h(NodePanel, { id, tab })
    case 'stack':
      return h('p', { class: 'empty' }, id)
  }
}
