import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'

/** Only for those who may; and it asks first. */
export function removeButton(name: string, run: () => Promise<unknown>): ComponentChild {
  if (!app.isAdmin) return null
  return h(
    'button',
    {
      class: 'quiet small',
      'aria-label': `${t('remove')} ${name}`,
      onClick: (event: Event) => {
        event.stopPropagation()
        app.ask({
          title: `${t('remove')}: ${name}`,
          text: t('removeObjectText'),
          action: t('remove'),
          isDangerous: true,
          run,
        })
      },
    },
    t('remove'),
  )
}
