import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { swatch } from '../parts/badge.ts'
import { serviceBadge } from '../parts/badge.ts'
import { countsOf, matches, stacksOf } from '../state/derive.ts'
import type { Stack } from '../state/derive.ts'
import { Head } from './head.ts'

export function Stacks(): ComponentChild {
  const stacks = stacksOf(app.state).filter(({ name, services }) =>
    matches(app.query, name, ...services.map((service) => service.name)),
  )
  return h(
    'section',
    { class: 'listing' },
    h(Head, { title: t('stacks'), count: stacks.length }),
    stacks.length === 0 && h('p', { class: 'empty' }, t(app.query === '' ? 'nothing' : 'noMatch')),
    h(
      'div',
      { class: 'stack-cards' },
      stacks.map((stack) => h(StackCard, { key: stack.name, stack })),
    ),
  )
}

function StackCard({ stack }: { stack: Stack }): ComponentChild {
  return h(
    'article',
    { class: 'card' },
    h('h2', null, stack.name),
    h(
      'ul',
      { class: 'plain' },
      stack.services.map((service) =>
        h(
          'li',
          { key: service.id },
          h(
            'button',
            {
              class: 'line',
              onClick: () => {
                app.open('service', service.id)
              },
            },
            swatch(service.id),
            h('span', { class: 'grow' }, service.name.replace(`${stack.name}_`, '')),
            serviceBadge(service, countsOf(app.state, service)),
          ),
        ),
      ),
    ),
  )
}
