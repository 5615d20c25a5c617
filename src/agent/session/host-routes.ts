import { execResult } from '#lib/exec.ts'
import { bridgePrefix } from '../network/device-names.ts'

interface Route {
  readonly dst?: string
  readonly dev?: string
}

/** Where this host's routes lead, but for the default and those of the cluster's own networks. */
export async function hostRoutes(): Promise<string[]> {
  const listed = await Promise.all(
    ['-4', '-6'].map((family) => execResult('ip', [family, '-json', 'route', 'show', 'table', 'main'])),
  )
  return routesIn(
    listed.flatMap(({ exitCode, stdout }) =>
      exitCode !== 0 || stdout.trim() === '' ? [] : (JSON.parse(stdout) as Route[]),
    ),
  )
}

export function routesIn(routes: readonly Route[]): string[] {
  const found = routes.flatMap(({ dst = 'default', dev = '' }) =>
    dst === 'default' || dst.startsWith('fe80:') || dst.startsWith('ff00:') || dev.startsWith(bridgePrefix)
      ? []
      : [dst],
  )
  return [...new Set(found)].sort()
}
