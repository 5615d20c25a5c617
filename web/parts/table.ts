import { h } from 'preact'
import type { ComponentChild, ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n/index.ts'

export interface Column<T> {
  readonly title: string
  /** Of the row's grid: `2fr`, `8rem`. */
  readonly width: string
  /** Left out where the screen is narrow. */
  readonly isMinor?: boolean
  cell(row: T): ComponentChildren
}

interface TableProps<T> {
  readonly label: string
  readonly rows: readonly T[]
  readonly columns: readonly Column<T>[]
  readonly isFiltered: boolean
  keyOf(row: T): string
  onOpen?(row: T): void
}

const rowHeight = 44
/** Rows that are drawn above and below what is in sight. */
const spare = 8

/** A list of any length: only the rows in sight are there. Arrow keys move in it, Enter opens. */
export function Table<T>(props: TableProps<T>): ComponentChild {
  const { rows, columns, label } = props
  const scroller = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(800)
  const [focused, setFocused] = useState(0)
  useEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    const observer = new ResizeObserver(() => {
      setHeight(element.clientHeight)
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
    }
  }, [])
  if (rows.length === 0) return h('p', { class: 'empty' }, t(props.isFiltered ? 'noMatch' : 'nothing'))
  const first = Math.max(0, Math.floor(top / rowHeight) - spare)
  const last = Math.min(rows.length, Math.ceil((top + height) / rowHeight) + spare)
  const move = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to))
    setFocused(next)
    const element = scroller.current
    if (element === null) return
    if (next * rowHeight < element.scrollTop) element.scrollTop = next * rowHeight
    const below = (next + 2) * rowHeight - element.scrollTop - element.clientHeight
    if (below > 0) element.scrollTop += below
    requestAnimationFrame(() => {
      element.querySelector<HTMLElement>(`[data-index="${String(next)}"]`)?.focus()
    })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[focused]
    if (event.key === 'ArrowDown' || event.key === 'j') move(focused + 1)
    else if (event.key === 'ArrowUp' || event.key === 'k') move(focused - 1)
    else if (event.key === 'Home') move(0)
    else if (event.key === 'End') move(rows.length - 1)
    else if (event.key === 'Enter' && row !== undefined && event.target === event.currentTarget) return
    else if (event.key === 'Enter' && row !== undefined && isRow(event.target)) props.onOpen?.(row)
    else return
    event.preventDefault()
  }
  const grid = { '--columns': columns.map(({ width }) => width).join(' ') }
  const narrow = columns
    .filter(({ isMinor }) => isMinor !== true)
    .map(({ width }) => width)
    .join(' ')
  return h(
    'div',
    {
      class: 'table',
      role: 'table',
      'aria-label': label,
      'aria-rowcount': rows.length + 1,
      ref: scroller,
      style: { ...grid, '--columns-narrow': narrow },
      onScroll: (event: Event) => {
        setTop((event.currentTarget as HTMLElement).scrollTop)
      },
      onKeyDown,
    },
    h(
      'div',
      { class: 'row head', role: 'row', 'aria-rowindex': 1 },
      columns.map((column) => h('span', { role: 'columnheader', class: cellClass(column) }, column.title)),
    ),
    h(
      'div',
      { class: 'rows', role: 'rowgroup', style: { height: `${String(rows.length * rowHeight)}px` } },
      rows.slice(first, last).map((row, offset) => {
        const place = first + offset
        return h(
          'div',
          {
            key: props.keyOf(row),
            class: props.onOpen === undefined ? 'row' : 'row opens',
            role: 'row',
            'aria-rowindex': place + 2,
            'data-index': place,
            tabIndex: place === focused ? 0 : -1,
            style: { transform: `translateY(${String(place * rowHeight)}px)` },
            onClick: () => {
              setFocused(place)
              props.onOpen?.(row)
            },
          },
          columns.map((column) => h('span', { role: 'cell', class: cellClass(column) }, column.cell(row))),
        )
      }),
    ),
  )
}

const isRow = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.classList.contains('row')

const cellClass = ({ isMinor }: { readonly isMinor?: boolean }): string =>
  isMinor === true ? 'cell minor' : 'cell'
