import { h, render } from 'preact'
import { follow, login, session } from './api.ts'
import { app } from './app.ts'
import { t } from './i18n/index.ts'
import { listenToKeys } from './keys.ts'
import { ClusterState } from './state/cluster.ts'
import { Frame } from './views/frame.ts'
import { Login } from './views/login.ts'

const root = document.getElementById('app')
let stopFollowing: (() => void) | undefined

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
      app.changed()
    },
    loggedOut() {
      leave(t('loggedOut'))
    },
  })
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
listenToKeys()
start().catch((error: unknown) => {
  leave(error instanceof Error ? error.message : String(error))
})
