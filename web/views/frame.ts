import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { logout } from '../api.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { Panel } from '../panel/panel.ts'
import { Ask } from '../parts/dialog.ts'
import { icon } from '../parts/icon.ts'
import { totalsOf } from '../state/derive.ts'
import { hashOf, viewNames } from '../state/route.ts'
import type { ViewName } from '../state/route.ts'
import { Events } from './events.ts'
import { Help } from './help.ts'
import { Ingress } from './ingress.ts'
import { Networks } from './networks.ts'
import { Nodes } from './nodes.ts'
import { Secrets } from './secrets.ts'
import { Services } from './services.ts'
import { Stacks } from './stacks.ts'
import { Swarm } from './swarm.ts'
import { Tasks } from './tasks.ts'

const views: Readonly<Record<ViewName, () => ComponentChild>> = {
  swarm: Swarm,
  services: Services,
  stacks: Stacks,
  tasks: Tasks,
  nodes: Nodes,
  networks: Networks,
  secrets: Secrets,
  ingress: Ingress,
  events: Events,
}

/** What is around every view: where to go, what to look for, how the cluster is. */
export function Frame({ onLogout }: { onLogout: () => void }): ComponentChild {
  const { route, question, toast } = app
  return h(
    'div',
    { class: route.panel === undefined ? 'frame' : 'frame with-panel' },
    h(Navigation, { present: route.view }),
    h(Top, { onLogout }),
    h('main', { id: 'view', tabIndex: -1 }, h(Notices, null), h(views[route.view], { key: route.view })),
    route.panel !== undefined &&
      h(Panel, { key: `${route.panel.kind}/${route.panel.id}`, panel: route.panel }),
    question !== undefined && h(Ask, { question }),
    app.isHelpOpen && h(Help, null),
    h(
      'div',
      { class: 'toasts', role: 'status', 'aria-live': 'polite' },
      toast !== undefined && h('p', { class: toast.isBad ? 'toast bad' : 'toast' }, toast.text),
    ),
  )
}

function Navigation({ present }: { present: ViewName }): ComponentChild {
  return h(
    'nav',
    { class: 'navigation', 'aria-label': 'Mure' },
    h(
      'a',
      { class: 'brand', href: hashOf('swarm') },
      h('img', { src: '/web/icon.svg', alt: '', width: 32, height: 32 }),
      h('b', null, 'Mure'),
      h('span', { lang: 'ja', 'aria-hidden': 'true' }, '群れ'),
    ),
    h(
      'ul',
      null,
      viewNames.map((name, place) =>
        h(
          'li',
          { key: name },
          h(
            'a',
            {
              href: hashOf(name),
              'aria-current': name === present ? 'page' : undefined,
              'aria-keyshortcuts': String(place + 1),
            },
            icon(name),
            h('span', null, t(name)),
          ),
        ),
      ),
    ),
  )
}

function Top({ onLogout }: { onLogout: () => void }): ComponentChild {
  const leave = () => {
    logout().then(onLogout, onLogout)
  }
  const tool = (name: 'theme' | 'help' | 'logout', label: string, onClick: () => void) =>
    h('button', { class: 'tool', 'aria-label': label, title: label, onClick }, icon(name))
  return h(
    'header',
    { class: 'top' },
    h(
      'label',
      { class: 'search' },
      icon('search'),
      h('span', { class: 'unseen' }, t('search')),
      h('input', {
        id: 'search',
        type: 'search',
        placeholder: t('searchHint'),
        value: app.query,
        'aria-keyshortcuts': '/',
        onInput: (event: Event) => {
          app.query = (event.currentTarget as HTMLInputElement).value
          app.changed()
        },
        onKeyDown: (event: KeyboardEvent) => {
          if (event.key !== 'Escape') return
          app.query = ''
          ;(event.currentTarget as HTMLInputElement).blur()
          app.changed()
        },
      }),
      h('kbd', { 'aria-hidden': 'true' }, '/'),
    ),
    h(Health, null),
    h('span', { class: 'role' }, t(app.isAdmin ? 'admin' : 'readOnly')),
    h(
      'button',
      {
        class: 'tool wide',
        lang: t('language') === 'English' ? 'en' : 'ja',
        onClick: () => {
          app.toggleLanguage()
        },
      },
      t('language'),
    ),
    tool('theme', t('theme'), () => {
      app.toggleTheme()
    }),
    tool('help', t('keys'), () => {
      app.isHelpOpen = true
      app.changed()
    }),
    tool('logout', t('logout'), leave),
  )
}

function Health(): ComponentChild {
  const { problems } = totalsOf(app.state)
  const isLost = app.connection === 'lost'
  const tone = isLost || problems > 0 ? 'bad' : 'good'
  const text = isLost ? '…' : problems === 0 ? t('allWell') : `${String(problems)} ${t('problems')}`
  return h('span', { class: `badge ${tone} health` }, h('i', { class: 'dot' }), text)
}

function Notices(): ComponentChild {
  if (app.connection === 'lost') return h('p', { class: 'notice', role: 'alert' }, t('reconnecting'))
  if (!app.state.isCurrent) return h('p', { class: 'notice', role: 'alert' }, t('stale'))
  return null
}
