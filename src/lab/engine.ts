import type { LabHost } from './lab.ts'

/** Where a host's own engine listens, apart from Mure's facade. */
export const engineSocket = (host: LabHost): string =>
  host.kind === 'mure' ? 'unix:///run/mure/engine.sock' : 'unix:///var/run/docker.sock'
