export const viewNames = [
  'swarm',
  'services',
  'stacks',
  'tasks',
  'nodes',
  'networks',
  'secrets',
  'ingress',
  'events',
] as const
export type ViewName = (typeof viewNames)[number]

export const panelKinds = ['service', 'task', 'node', 'stack'] as const
export type PanelKind = (typeof panelKinds)[number]

export interface Route {
  readonly view: ViewName
  /** What is open beside the view. */
  readonly panel: { readonly kind: PanelKind; readonly id: string; readonly tab: string } | undefined
}

/** `#/services/service/ID/logs`: the view, and what is open beside it. */
export function parseRoute(hash: string): Route {
  const [view, kind, id, tab] = hash.replace(/^#\/?/, '').split('/').map(decode)
  const panelKind = panelKinds.find((one) => one === kind)
  return {
    view: viewNames.find((one) => one === view) ?? 'swarm',
    panel:
      panelKind === undefined || id === undefined || id === ''
        ? undefined
        : { kind: panelKind, id, tab: tab ?? '' },
  }
}

export function hashOf(view: ViewName, panel?: { kind: PanelKind; id: string; tab?: string }): string {
  if (panel === undefined) return `#/${view}`
  const tab = panel.tab === undefined || panel.tab === '' ? '' : `/${panel.tab}`
  return `#/${view}/${panel.kind}/${encodeURIComponent(panel.id)}${tab}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
