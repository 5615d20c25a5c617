import { app } from './app.ts'
import { hashOf, viewNames } from './state/route.ts'

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.closest('input, textarea, select, .terminal') !== null || target.isContentEditable)

/** The keys that work everywhere; those of lists are the lists' own. */
export function listenToKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (app.session === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Escape' && app.question === undefined && !app.isHelpOpen) {
      if (isTyping(event.target)) return
      app.closePanel()
      return
    }
    if (isTyping(event.target) || app.question !== undefined) return
    const view = viewNames[Number(event.key) - 1]
    if (view !== undefined) location.hash = hashOf(view)
    else if (event.key === '/') {
      event.preventDefault()
      document.getElementById('search')?.focus()
    } else if (event.key === 'd') app.toggleTheme()
    else if (event.key === '?') {
      app.isHelpOpen = true
      app.changed()
    }
  })
}
