import { defined } from '#lib/defined.ts'
import type { Mount } from '#model/container.ts'

/**
 * One of the engine's `HostConfig.Mounts`. Placeholders are filled in where Docker does it: source, target, and the
 * labels and driver options of a volume.
 */
export function mountConfig(mount: Mount, expand: (text: string) => string): object {
  const { bind, volume, tmpfs } = mount
  return defined({
    Type: mount.type,
    Source: mount.source === undefined ? undefined : expand(mount.source),
    Target: expand(mount.target),
    ReadOnly: mount.readOnly,
    Consistency: mount.consistency,
    BindOptions:
      bind &&
      defined({
        Propagation: bind.propagation,
        NonRecursive: bind.nonRecursive,
        CreateMountpoint: bind.createMountpoint,
        ReadOnlyNonRecursive: bind.readOnlyNonRecursive,
      }),
    VolumeOptions:
      volume &&
      defined({
        NoCopy: volume.noCopy,
        Labels: volume.labels && expandValues(volume.labels, expand),
        DriverConfig: volume.driver && {
          Name: volume.driver.name ?? '',
          Options: expandValues(volume.driver.options ?? {}, expand),
        },
      }),
    TmpfsOptions: tmpfs && defined({ SizeBytes: tmpfs.sizeBytes, Mode: tmpfs.mode }),
  })
}

const expandValues = (
  map: Readonly<Record<string, string>>,
  expand: (text: string) => string,
): Record<string, string> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, expand(value)]))
