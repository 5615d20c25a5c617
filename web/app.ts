import type { SessionAnswer, UsageNow } from '../src/api/dashboard/wire.ts'
import { currentLanguage, preferredLanguage, setLanguage } from './i18n/index.ts'
import { ClusterState } from './state/cluster.ts'
import { hashOf, parseRoute } from './state/route.ts'
import type { PanelKind, Route } from './state/route.ts'

export type Density = 'auto' | 'cards' | 'chips' | 'dots'
export type Connection = 'connecting' | 'open' | 'lost'

/** A question before something is done. */
export interface Question {
  readonly title: string
  readonly text: string
  /** What the button says that does it. */
  readonly action: string
  readonly isDangerous?: boolean
  readonly field?: { readonly label: string; readonly value: string; readonly type: 'number' | 'text' }
  run(value: string): Promise<unknown>
}

/** All that the page knows. One for the page: what changes it calls `changed`, and everything is drawn anew. */
class App {
  state = new ClusterState()
  session: SessionAnswer | undefined
  connection: Connection = 'connecting'
  /** Why one has to log in again. */
  notice = ''
  query = ''
  density: Density = 'auto'
  /** What everything uses, as of a few seconds ago. */
  usage: UsageNow = { nodes: {}, tasks: {} }
  /** Grows with each look at it. */
  usageStamp = 0
  question: Question | undefined
  isHelpOpen = false
  toast: { readonly text: string; readonly isBad: boolean } | undefined
  route: Route = parseRoute(location.hash)
  #draw: (() => void) | undefined
  #isScheduled = false
  #toastTimer: number | undefined

  get isAdmin(): boolean {
    return this.session?.role === 'admin'
  }

  /** `draw` is called once for all changes of a frame. */
  start(draw: () => void): void {
    this.#draw = draw
    setLanguage(preferredLanguage(localStorage.getItem('mure.language'), navigator.language))
    this.#applyTheme(localStorage.getItem('mure.theme'))
    document.documentElement.lang = currentLanguage()
    window.addEventListener('hashchange', () => {
      this.route = parseRoute(location.hash)
      this.changed()
    })
  }

  changed(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    requestAnimationFrame(() => {
      this.#isScheduled = false
      this.#draw?.()
    })
  }

  open(kind: PanelKind, id: string, tab?: string): void {
    location.hash = hashOf(this.route.view, tab === undefined ? { kind, id } : { kind, id, tab })
  }

  closePanel(): void {
    if (this.route.panel !== undefined) location.hash = hashOf(this.route.view)
  }

  ask(question: Question): void {
    this.question = question
    this.changed()
  }

  say(text: string, isBad = false): void {
    this.toast = { text, isBad }
    window.clearTimeout(this.#toastTimer)
    this.#toastTimer = window.setTimeout(
      () => {
        this.toast = undefined
        this.changed()
      },
      isBad ? 8_000 : 3_000,
    )
    this.changed()
  }

  toggleTheme(): void {
    const next = document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark'
    localStorage.setItem('mure.theme', next)
    this.#applyTheme(next)
    this.changed()
  }

  toggleLanguage(): void {
    const next = currentLanguage() === 'en' ? 'ja' : 'en'
    localStorage.setItem('mure.language', next)
    setLanguage(next)
    document.documentElement.lang = next
    this.changed()
  }

  #applyTheme(stored: string | null): void {
    const prefersLight = matchMedia('(prefers-color-scheme: light)').matches
    document.documentElement.dataset['theme'] =
      stored === 'dark' || stored === 'light' ? stored : prefersLight ? 'light' : 'dark'
  }
}

export const app = new App()
