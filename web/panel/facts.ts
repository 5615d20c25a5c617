import { h } from 'preact'
import type { ComponentChild, ComponentChildren } from 'preact'

export type Fact = readonly [name: string, value: ComponentChildren]

/** What is known of an object; what is empty is left out. */
export const facts = (rows: readonly (Fact | undefined)[]): ComponentChild =>
  h(
    'dl',
    { class: 'facts' },
    rows.map((row) =>
      row === undefined || row[1] === undefined || row[1] === ''
        ? null
        : [h('dt', { key: `t${row[0]}` }, row[0]), h('dd', { key: `d${row[0]}` }, row[1])],
    ),
  )
