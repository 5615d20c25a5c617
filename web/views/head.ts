import { h } from 'preact'
import type { ComponentChild, ComponentChildren } from 'preact'

/** A view's title, how many there are, and what can be done here. */
export const Head = (props: {
  title: string
  count?: number
  children?: ComponentChildren
}): ComponentChild =>
  h(
    'div',
    { class: 'view-head' },
    h('h1', null, props.title, props.count !== undefined && h('span', { class: 'count' }, props.count)),
    props.children,
  )
