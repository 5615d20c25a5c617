import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { useState } from 'preact/hooks'
import type { SessionAnswer } from '../../src/api/dashboard/wire.ts'
import { login, Refusal } from '../api.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'

export function Login({ onLogin }: { onLogin: (known: SessionAnswer) => void }): ComponentChild {
  const [token, setToken] = useState('')
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  const run = async () => {
    setBusy(true)
    try {
      onLogin(await login(token))
    } catch (error) {
      const isWrong = error instanceof Refusal && error.status === 401
      setProblem(isWrong ? t('loginFailed') : error instanceof Error ? error.message : String(error))
    } finally {
      setBusy(false)
    }
  }
  const said = problem === '' ? app.notice : problem
  return h(
    'main',
    { class: 'login' },
    h(
      'form',
      {
        class: 'login-card',
        onSubmit: (event: Event) => {
          event.preventDefault()
          run().catch(() => undefined)
        },
      },
      h('img', { src: '/web/icon.svg', alt: '', width: 72, height: 72 }),
      h('h1', null, 'Mure ', h('span', { lang: 'ja' }, '群れ')),
      h(
        'label',
        { class: 'field' },
        t('token'),
        h('input', {
          type: 'password',
          name: 'token',
          autocomplete: 'current-password',
          autofocus: true,
          required: true,
          value: token,
          onInput: (event: Event) => {
            setToken((event.currentTarget as HTMLInputElement).value)
          },
        }),
      ),
      said !== '' && h('p', { class: 'problem', role: 'alert' }, said),
      h('button', { class: 'primary', type: 'submit', disabled: isBusy }, t('login')),
      h('p', { class: 'hint' }, t('loginHint'), h('code', null, 'mure dashboard token')),
    ),
    h(
      'div',
      { class: 'login-tools' },
      h(
        'button',
        {
          class: 'quiet',
          lang: 'ja',
          onClick: () => {
            app.toggleLanguage()
          },
        },
        t('language'),
      ),
      h(
        'button',
        {
          class: 'quiet',
          onClick: () => {
            app.toggleTheme()
          },
        },
        t('theme'),
      ),
    ),
  )
}
