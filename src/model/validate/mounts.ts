import type { Mount } from '../container.ts'
import type { Problem } from './problem.ts'
import { problem } from './problem.ts'

const field = 'ContainerSpec.Mounts'

/** Swarm stores these and each task fails by them; here they are refused before, in the words of the engine. */
export function mountProblems(mounts: readonly Mount[]): Problem[] {
  const targets = new Set<string>()
  return mounts.flatMap((mount) => {
    const wrong = wrongIn(mount)
    const isTaken = targets.has(mount.target)
    targets.add(mount.target)
    if (wrong !== undefined) return problem(field, `invalid mount config for type "${mount.type}": ${wrong}`)
    return isTaken ? problem(field, `ContainerSpec: duplicate mount point: ${mount.target}`) : []
  })
}

function wrongIn({ type, source = '', target, bind, volume, tmpfs }: Mount): string | undefined {
  if (type === 'image')
    return 'mounts of images are not offered: copy what you need into a volume, or the image'
  if (type === 'npipe' || type === 'cluster') return 'mount type unknown'
  if (target === '') return 'field Target must not be empty'
  if (target === '/') return "invalid specification: destination can't be '/'"
  if (!isAbsolute(target)) return `invalid mount path: '${target}' mount path must be absolute`
  if (type !== 'bind' && isSomething(bind)) return 'field BindOptions must not be specified'
  if (type !== 'volume' && isSomething(volume)) return 'field VolumeOptions must not be specified'
  if (type !== 'tmpfs' && isSomething(tmpfs)) return 'field TmpfsOptions must not be specified'
  switch (type) {
    case 'bind':
      if (source === '') return 'field Source must not be empty'
      return isAbsolute(source) ? undefined : `invalid mount path: '${source}' mount path must be absolute`
    case 'tmpfs':
      return source === '' ? undefined : 'field Source must not be specified'
    case 'volume':
      if (source === '' && volume?.subpath !== undefined && volume.subpath !== '')
        return 'must not set Subpath when using anonymous volumes'
      return source === '' || source.includes('{{') || /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(source)
        ? undefined
        : `"${source}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`
  }
}

/** What a placeholder stands for is seen on the node. */
const isAbsolute = (path: string): boolean => path.startsWith('/') || path.startsWith('{{')

const isSomething = (options: object | undefined): boolean =>
  options !== undefined && Object.keys(options).length > 0
