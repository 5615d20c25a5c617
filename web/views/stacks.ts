import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { serviceBadge, swatch } from '../parts/badge.ts'
import { countsOf, matches, stacksOf } from '../state/derive.ts'
import type { Stack } from '../state/derive.ts'
import { Deploy } from './deploy.ts'
import { Head } from './head.ts'

export function Stacks(): ComponentChild {
  const [deploying, setDeploying] = useState<string>()
  const stacks = stacksOf(app.state).filter(({ name, services }) =>
    matches(app.query, name, ...services.map((service) => service.name)),
  )
  return h(
    'section',
    { class: 'listing' },
    h(
      Head,
      { title: t('stacks'), count: stacks.length },
      app.isAdmin &&
        deploying === undefined &&
        h(
          'button',
          {
            class: 'primary',
            onClick: () => {
              setDeploying('')
            },
          },
          t('deploy'),
        ),
    ),
    deploying !== undefined &&
      h(Deploy, {
        name: deploying,
        onClose: () => {
          setDeploying(undefined)
        },
      }),
    stacks.length === 0 &&
      deploying === undefined &&
      h('p', { class: 'empty' }, t(app.query === '' ? 'nothing' : 'noMatch')),
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
    h('header', { class: 'card-head' }, h('h2', null, stack.name), removal(stack.name)),
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

function removal(name: string): ComponentChild {
  if (!app.isAdmin) return null
  return h(
    'button',
    {
      class: 'quiet small',
      'aria-label': `${t('remove')} ${name}`,
      onClick: () => {
        app.ask({
          title: `${t('remove')}: ${name}`,
          text: t('removeStackText'),
          action: t('remove'),
          isDangerous: true,
          run: () => call('DELETE', `/api/stacks/${name}`),
        })
      },
    },
    t('remove'),
  )
}
