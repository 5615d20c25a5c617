import { architectures } from '#model/constraint.ts'
import type { Platform } from '#model/service.ts'
import { onNodes } from './filter.ts'
import type { Filter } from './filter.ts'

/** The image's platforms, as the client found them in its manifest, against the node's. */
export const platform: Filter = {
  name: 'platform',
  dependsOn: (task) => task.spec.placement?.platforms,
  prepare(task) {
    const platforms = task.spec.placement?.platforms ?? []
    if (platforms.length === 0) return undefined
    return (info) => {
      const actual = info.node.status.description?.platform
      if (actual === undefined) return false
      const names = architectures(actual.architecture)
      return platforms.some(
        ({ architecture = '', os = '' }) =>
          (os === '' || os === actual.os) && (architecture === '' || names.includes(architecture)),
      )
    }
  },
  detail({ node }, task) {
    const { os, architecture } = node.status.description?.platform ?? { os: '', architecture: '' }
    const offered = task.spec.placement?.platforms ?? []
    return `it is ${os}/${architecture}, the image is for ${offered.map(nameOf).join(', ')}`
  },
  explain: (nodes) => `unsupported platform on ${onNodes(nodes)}`,
}

const nameOf = ({ os = '', architecture = '' }: Platform): string => `${os}/${architecture}`
