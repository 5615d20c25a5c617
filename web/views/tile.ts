import { Component, createRef, h } from 'preact'
import type { ComponentChild } from 'preact'
import type { TaskRow } from '../../src/api/dashboard/wire.ts'
import { app } from '../app.ts'
import { taskName, toneOfTask } from '../state/derive.ts'

interface TileProps {
  readonly task: TaskRow
  readonly isRich: boolean
}

/** Where the last tile of a service's slot was: its successor flies from there. */
const places = new Map<string, { readonly x: number; readonly y: number; readonly task: string }>()
const slotOf = (task: TaskRow): string => `${task.service}/${String(task.slot)}`
const isStill = matchMedia('(prefers-reduced-motion: reduce)')
/** With more tiles than this on the page, motion would cost more than it shows. */
const mostThatMove = 1_500

/** One task. */
export class Tile extends Component<TileProps> {
  readonly #element = createRef<HTMLButtonElement>()

  override shouldComponentUpdate(next: TileProps): boolean {
    return next.task !== this.props.task || next.isRich !== this.props.isRich
  }

  override componentDidMount(): void {
    const element = this.#element.current
    if (element === null || isStill.matches || app.state.tasks.size > mostThatMove) return
    const { task } = this.props
    const box = element.getBoundingClientRect()
    const from = places.get(slotOf(task))
    places.set(slotOf(task), { x: box.x, y: box.y, task: task.id })
    if (from === undefined || from.task === task.id) return
    element.animate(
      [
        { transform: `translate(${String(from.x - box.x)}px, ${String(from.y - box.y)}px)`, zIndex: 5 },
        { transform: 'none', zIndex: 5 },
      ],
      { duration: 550, easing: 'cubic-bezier(.2,.8,.2,1)' },
    )
  }

  override componentWillUnmount(): void {
    const element = this.#element.current
    if (element === null || app.state.tasks.size > mostThatMove) return
    const { x, y } = element.getBoundingClientRect()
    places.set(slotOf(this.props.task), { x, y, task: this.props.task.id })
  }

  override render({ task, isRich }: TileProps): ComponentChild {
    const name = taskName(task)
    const why = task.error === undefined ? '' : `: ${task.error}`
    return h(
      'button',
      {
        ref: this.#element,
        class: `tile ${toneOfTask(task)} ${task.state}`,
        style: { '--hue': String(app.state.hueOf(task.service)) },
        title: `${name} · ${task.state}${why}`,
        'aria-label': `${name}, ${task.state}${why}`,
        'data-task': task.id,
        onClick: () => {
          app.open('task', task.id)
        },
      },
      h('span', { class: 'tile-name' }, name),
      isRich && h('span', { class: 'tile-state' }, task.state),
      isRich && h('span', { class: 'tile-image' }, task.error ?? task.image.replace(/^[^/]+\//, '')),
    )
  }
}
