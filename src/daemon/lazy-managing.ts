/** What only managers need is loaded when this host becomes one: a worker's memory is spared. */
export const managing = () => import('./managing.ts')
