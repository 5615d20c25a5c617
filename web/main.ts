import { h, render } from 'preact'
import type { UsageNow } from '../src/api/dashboard/wire.ts'
import { call, follow, login, session } from './api.ts'
import { app } from './app.ts'
import { t } from './i18n/index.ts'
import { listenToKeys } from './keys.ts'
import { ClusterState } from './state/cluster.ts'
import { Frame } from './views/frame.ts'
import { Login } from './views/login.ts'

const root = document.getElementById('app')
let stopFollowing: (() => void) | undefined
const usageEveryMs = 5_000

function draw(): void {
  if (root === null) return
  render(app.session === undefined ? h(Login, { onLogin: enter }) : h(Frame, { onLogout: leave }), root)
}

/** Begins to show the cluster: somebody has logged in. */
function enter(known: NonNullable<typeof app.session>): void {
  app.session = known
  app.state = new ClusterState()
  app.connection = 'connecting'
  app.notice = ''
  stopFollowing?.()
  stopFollowing = follow(() => app.state.revision, {
    message(message) {
      app.state.apply(message)
      app.changed()
    },
    connection(isOpen) {
      app.connection = isOpen ? 'open' : 'lost'
      if (isOpen) lookAtUsage().catch(() => undefined)
      app.changed()
    },
    loggedOut() {
      leave(t('loggedOut'))
    },
  })
  app.changed()
}

/** Beside the stream: samples are not the cluster's state, and a look now and then is enough. */
async function lookAtUsage(): Promise<void> {
  if (app.session === undefined || app.connection !== 'open' || document.hidden) return
  app.usage = await call<UsageNow>('GET', '/api/usage')
  app.usageStamp += 1
  app.changed()
}

function leave(notice = ''): void {
  stopFollowing?.()
  stopFollowing = undefined
  app.session = undefined
  app.notice = notice
  app.changed()
}

/** `#token=…`, as "mure dashboard url" prints it. It is taken out of the address before anything else. */
function takeTokenFromAddress(): string | undefined {
  const token = /^#token=([\w.-]+)$/.exec(location.hash)?.[1]
  if (token !== undefined) history.replaceState(null, '', location.pathname)
  return token
}

async function start(): Promise<void> {
  const token = takeTokenFromAddress()
  const known = token === undefined ? await session() : await login(token)
  if (known === undefined) draw()
  else enter(known)
}

app.start(draw)
window.setInterval(() => {
  lookAtUsage().catch(() => undefined)
}, usageEveryMs)
listenToKeys()
start().catch((error: unknown) => {
  leave(error instanceof Error ? error.message : String(error))
})
