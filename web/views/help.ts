import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { Modal } from '../parts/dialog.ts'

export function Help(): ComponentChild {
  const keys: readonly (readonly [string, string])[] = [
    ['/', t('keySearch')],
    ['1 – 9', t('keyViews')],
    ['↑ ↓', t('keyMove')],
    ['Enter', t('keyOpen')],
    ['Esc', t('keyClose')],
    ['d', t('keyTheme')],
    ['?', t('keyHelp')],
  ]
  const onClose = () => {
    app.isHelpOpen = false
    app.changed()
  }
  return h(
    Modal,
    { title: t('keys'), onClose },
    h(
      'dl',
      { class: 'keys' },
      keys.map(([key, what]) => [h('dt', null, h('kbd', null, key)), h('dd', null, what)]),
    ),
    h('div', { class: 'buttons' }, h('button', { class: 'primary', onClick: onClose }, t('close'))),
  )
}
