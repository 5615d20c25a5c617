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

function wrongIn(mount: Mount): string | undefined {
  const { type, source = '', target, bind, volume, tmpfs } = mount
  if (type === 'image')
    return 'mounts of images are not offered: copy what you need into a volume, or the image'
  if (type === 'npipe' || type === 'cluster') return 'mount type unknown'
  if (target === '') return 'field Target must not be empty'
  if (target === '/') return "invalid specification: destination can't be '/'"
  if (!isAbsolute(target)) return `invalid mount path: '${target}' mount path must be absolute`
  if (type !== 'bind' && isSomething(bind)) return 'field BindOptions must not be specified'
  if (type !== 'volume' && isSomething(volume)) return 'field VolumeOptions must not be specified'
  if (type !== 'tmpfs' && isSomething(tmpfs)) return 'field TmpfsOptions must not be specified'
  const later = ofLaterEngines(mount)
  if (later !== undefined) return later
  switch (type) {
    case 'bind':
      if (source === '') return 'field Source must not be empty'
      return isAbsolute(source) ? undefined : `invalid mount path: '${source}' mount path must be absolute`
    case 'tmpfs':
      return source === '' ? undefined : 'field Source must not be specified'
    case 'volume':
      return source === '' || source.includes('{{') || /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(source)
        ? undefined
        : `"${source}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`
  }
}

/** Nodes speak API version 1.41 to their engines, and those would let such options pass without a word. */
function ofLaterEngines({ bind, volume, tmpfs }: Mount): string | undefined {
  if (volume?.subpath !== undefined && volume.subpath !== '')
    return 'volume-subpath is not offered: mount the whole volume'
  if (bind?.readOnlyForceRecursive === true)
    return 'bind-recursive=readonly is not offered: only the top of a read-only bind is read-only'
  if (tmpfs?.options !== undefined && tmpfs.options.length > 0)
    return 'options of a tmpfs beyond its size and mode are not offered'
  return undefined
}

/** What a placeholder stands for is seen on the node. */
const isAbsolute = (path: string): boolean => path.startsWith('/') || path.startsWith('{{')

const isSomething = (options: object | undefined): boolean =>
  options !== undefined && Object.keys(options).length > 0
