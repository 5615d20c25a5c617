import { MureError } from '#lib/errors.ts'
import { asObject, asObjects, asText, isSet, tooOld } from './json.ts'
import type { JsonObject } from './json.ts'

const optionsOf = { BindOptions: 'bind', VolumeOptions: 'volume', TmpfsOptions: 'tmpfs' } as const

/** 1.42: options of another type of mount are an error, no longer ignored. */
export function refuseForeignOptions(hostConfig: JsonObject): void {
  for (const mount of asObjects(hostConfig['Mounts']))
    for (const [options, type] of Object.entries(optionsOf))
      if (asObject(mount[options]) !== undefined && mount['Type'] !== type)
        throw new MureError(
          'invalid',
          `${options} must not be specified on mount type "${asText(mount['Type'])}"`,
        )
}

/**
 * 1.42: `CreateMountpoint`. An older engine creates a missing source for the short form only, so the mount is
 * written in that, if it can be.
 */
export function bindCreatedMountpoints(hostConfig: JsonObject): void {
  const kept: JsonObject[] = []
  const binds = Array.isArray(hostConfig['Binds']) ? [...(hostConfig['Binds'] as unknown[])] : []
  for (const mount of asObjects(hostConfig['Mounts'])) {
    const options = asObject(mount['BindOptions'])
    if (mount['Type'] === 'bind' && isSet(options?.['CreateMountpoint']))
      binds.push(toBind(mount, options ?? {}))
    else kept.push(mount)
  }
  if (kept.length === asObjects(hostConfig['Mounts']).length) return
  hostConfig['Mounts'] = kept
  hostConfig['Binds'] = binds
}

function toBind(mount: JsonObject, options: JsonObject): string {
  const [source, target] = [asText(mount['Source']), asText(mount['Target'])]
  if (source.includes(':') || target.includes(':') || isSet(options['NonRecursive']))
    throw tooOld('bind-create-mountpoint', '1.42')
  const mode = [mount['ReadOnly'] === true ? 'ro' : '', asText(options['Propagation'])]
    .filter(isSet)
    .join(',')
  return [source, target, ...(mode === '' ? [] : [mode])].join(':')
}

/** 1.44: read-only binds may be read-only all the way down; an older engine makes only the top so. */
export function refuseReadOnlyRecursive(hostConfig: JsonObject): void {
  for (const mount of asObjects(hostConfig['Mounts'])) {
    const options = asObject(mount['BindOptions'])
    if (options === undefined) continue
    if (isSet(options['ReadOnlyForceRecursive'])) throw tooOld('bind-recursive=readonly', '1.44')
    delete options['ReadOnlyNonRecursive']
  }
}

/** 1.45: a part of a volume; an older engine would mount the whole. */
export function refuseSubpaths(hostConfig: JsonObject): void {
  for (const mount of asObjects(hostConfig['Mounts']))
    if (isSet(asObject(mount['VolumeOptions'])?.['Subpath'])) throw tooOld('volume-subpath', '1.45')
}

/** 1.46: options beyond size and mode. */
export function refuseTmpfsOptions(hostConfig: JsonObject): void {
  for (const mount of asObjects(hostConfig['Mounts'])) {
    const options = asObject(mount['TmpfsOptions'])?.['Options']
    if (Array.isArray(options) && options.length > 0) throw tooOld('tmpfs options', '1.46')
  }
}
