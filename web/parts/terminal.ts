import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { TaskRow } from '../../src/api/dashboard/wire.ts'
import { call, open, sendBytes } from '../api.ts'
import { t } from '../i18n/index.ts'
import { hasEnded } from '../state/derive.ts'

/** A shell in the container of a task. */
export function TerminalTab({ task }: { task: TaskRow }): ComponentChild {
  const place = useRef<HTMLDivElement>(null)
  const [problem, setProblem] = useState('')
  const isThere = task.container !== undefined && !hasEnded(task)
  useEffect(() => {
    const element = place.current
    if (element === null) return undefined
    const controller = new AbortController()
    setProblem('')
    run(task.id, element, controller.signal).then(
      () => {
        if (!controller.signal.aborted) setProblem(t('terminalEnded'))
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setProblem(error instanceof Error ? error.message : String(error))
      },
    )
    return () => {
      controller.abort()
    }
  }, [task.id, isThere])
  if (!isThere) return h('p', { class: 'empty' }, t('noContainer'))
  return h(
    'div',
    { class: 'terminal-box' },
    h('div', { class: 'terminal', ref: place }),
    problem !== '' && h('p', { class: 'problem', role: 'status' }, problem),
  )
}

/** Until the command has ended, or the signal aborts. */
async function run(task: string, element: HTMLElement, signal: AbortSignal): Promise<void> {
  const [{ Terminal }, { FitAddon }] = await Promise.all([import('@xterm/xterm'), import('@xterm/addon-fit')])
  if (signal.aborted) return
  const terminal = new Terminal({
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--mono'),
    fontSize: 13,
    cursorBlink: true,
    screenReaderMode: true,
    theme: { background: '#0a0d13', foreground: '#e8ecf4', cursor: '#7c8cff' },
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  withStyleNonce(() => {
    terminal.open(element)
  })
  fit.fit()
  const resized = new ResizeObserver(() => {
    fit.fit()
  })
  resized.observe(element)
  try {
    const size = { columns: terminal.cols, rows: terminal.rows }
    const { reader, headers } = await open('POST', `/api/tasks/${task}/terminal`, { body: size, signal })
    const id = headers.get('x-terminal') ?? ''
    const typed = typist(id)
    terminal.onData(typed)
    terminal.onResize(({ cols, rows }) => {
      call('POST', `/api/terminals/${id}/size`, { columns: cols, rows }).catch(() => undefined)
    })
    terminal.focus()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      terminal.write(value)
    }
  } finally {
    resized.disconnect()
    if (signal.aborted) terminal.dispose()
  }
}

/** What is typed arrives in order: one request at a time, and what came meanwhile goes with the next. */
function typist(id: string): (text: string) => void {
  const encoder = new TextEncoder()
  let waiting = ''
  let isSending = false
  const send = async () => {
    isSending = true
    while (waiting !== '') {
      const text = waiting
      waiting = ''
      await sendBytes(`/api/terminals/${id}/input`, encoder.encode(text))
    }
  }
  return (text) => {
    waiting += text
    if (isSending) return
    send()
      .catch(() => undefined)
      .finally(() => {
        isSending = false
      })
  }
}

/** The terminal makes style sheets by itself while it opens, which the page's policy takes only with its nonce. */
function withStyleNonce(make: () => void): void {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name=style-nonce]')?.content ?? ''
  const createElement = document.createElement.bind(document)
  Object.defineProperty(document, 'createElement', {
    configurable: true,
    value: (tag: string, options?: ElementCreationOptions) => {
      const element = createElement(tag, options)
      if (element instanceof HTMLStyleElement) element.nonce = nonce
      return element
    },
  })
  try {
    make()
  } finally {
    // The browser's own is on the prototype.
    Reflect.deleteProperty(document, 'createElement')
  }
}
