import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { LogRow } from '../../src/api/dashboard/wire.ts'
import { open } from '../api.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { taskName } from '../state/derive.ts'

/** More would make the page slow, and nobody scrolls that far. */
const mostLines = 2_000
const tail = 300

/** Follows a log. It stays at the end while one is there, and leaves one in peace who has scrolled up. */
export function Logs({ path }: { path: string }): ComponentChild {
  const [lines, setLines] = useState<readonly LogRow[]>([])
  const [ending, setEnding] = useState('')
  const [filter, setFilter] = useState('')
  const box = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  useEffect(() => {
    const controller = new AbortController()
    setLines([])
    setEnding('')
    const read = async () => {
      for await (const rows of logLines(`${path}?tail=${String(tail)}`, controller.signal))
        setLines((known) => [...known, ...rows].slice(-mostLines))
      setEnding(t('logsEnded'))
    }
    read().catch((error: unknown) => {
      if (!controller.signal.aborted) setEnding(error instanceof Error ? error.message : String(error))
    })
    return () => {
      controller.abort()
    }
  }, [path])
  useEffect(() => {
    const element = box.current
    if (element !== null && isAtEnd.current) element.scrollTop = element.scrollHeight
  }, [lines])
  const wanted = filter.toLowerCase()
  const shown = wanted === '' ? lines : lines.filter(({ text }) => text.toLowerCase().includes(wanted))
  return h(
    'div',
    { class: 'logs' },
    h('input', {
      class: 'logs-filter',
      type: 'search',
      placeholder: t('filterLines'),
      'aria-label': t('filterLines'),
      value: filter,
      onInput: (event: Event) => {
        setFilter((event.currentTarget as HTMLInputElement).value)
      },
    }),
    h(
      'div',
      {
        class: 'logs-lines',
        role: 'log',
        tabIndex: 0,
        ref: box,
        'aria-label': t('logs'),
        onScroll: (event: Event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget as HTMLElement
          isAtEnd.current = scrollHeight - scrollTop - clientHeight < 40
        },
      },
      shown.length === 0 && ending === '' && h('p', { class: 'muted' }, t('noLogs')),
      shown.map((line, place) => h(Line, { key: `${line.at}${line.task}${String(place)}`, line })),
      ending !== '' && h('p', { class: 'muted' }, ending),
    ),
  )
}

function Line({ line }: { line: LogRow }): ComponentChild {
  const task = app.state.tasks.get(line.task)
  return h(
    'p',
    { class: line.stream },
    h('time', { dateTime: line.at, title: line.at }, line.at.slice(11, 19)),
    task !== undefined &&
      h('b', { style: { '--hue': String(app.state.hueOf(task.service)) } }, taskName(task)),
    h('span', null, withoutColours(line.text)),
  )
}

/** Colours and cursor moves of a terminal are noise in a list of lines. */
const withoutColours = (text: string): string => text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')

async function* logLines(path: string, signal: AbortSignal): AsyncGenerator<readonly LogRow[]> {
  const { reader } = await open('GET', path, { signal })
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const parts = (rest + decoder.decode(value, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    yield parts.filter((part) => part !== '').map((part) => JSON.parse(part) as LogRow)
  }
}
