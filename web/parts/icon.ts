import { h } from 'preact'
import type { ComponentChild } from 'preact'

/** Drawn on a grid of 24, by strokes. */
const paths = {
  swarm: 'M4 8h4v4H4zM10 4h4v4h-4zM16 8h4v4h-4zM10 14h4v6h-4zM4 16h2M18 16h2',
  services: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12L4 7.5',
  stacks: 'M12 3l9 5-9 5-9-5zM3 12l9 5 9-5M3 16l9 5 9-5',
  tasks: 'M4 6h2M10 6h10M4 12h2M10 12h10M4 18h2M10 18h10',
  nodes: 'M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01',
  networks: 'M12 9V5M12 15v4M7 12H4M20 12h-3M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  secrets: 'M6 11h12v9H6zM9 11V7a3 3 0 0 1 6 0v4',
  ingress: 'M4 12h6M10 12l8-7M10 12h8M10 12l8 7M16 5h2v2M16 19h2v-2',
  events: 'M12 7v5l3 3M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
  deploy: 'M12 16V4M7 9l5-5 5 5M4 20h16',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5',
  theme: 'M20 14A8 8 0 1 1 10 4a6.5 6.5 0 0 0 10 10z',
  logout: 'M14 4h5v16h-5M4 12h10M10 8l4 4-4 4',
  close: 'M6 6l12 12M18 6L6 18',
  help: 'M9 9a3 3 0 1 1 4 2.8c-.7.3-1 .8-1 1.7M12 17h.01',
  star: 'M12 4l2.4 5 5.6.8-4 3.9.9 5.5-4.9-2.6-4.9 2.6.9-5.5-4-3.9 5.6-.8z',
} as const
export type IconName = keyof typeof paths

/** Beside a word, or with a label of its own: for a screen reader it is nothing. */
export const icon = (name: IconName): ComponentChild =>
  h('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, h('path', { d: paths[name] }))
