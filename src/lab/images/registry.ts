import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { copyProgram, fillBusybox, path } from './files.ts'
import { fillNginx, nginxProgram } from './nginx.ts'
import type { SeedImage } from './seed-image.ts'

const program = '/usr/bin/docker-registry'
const files = join(import.meta.dirname, 'registry')

/**
 * Debian's docker-registry, in the place of the well-known `registry:2`: the same settings by environment. In front of
 * it stands an nginx that refuses pushes with clear words while the storage is full or is being cleaned up.
 */
export const registry: SeedImage = {
  name: 'registry',
  tag: 'latest',
  sources: ['/bin/busybox', nginxProgram, program],
  config: {
    Cmd: ['/bin/serve-registry'],
    Env: [path, 'REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/var/lib/registry'],
    ExposedPorts: { '5000/tcp': {} },
    Volumes: { '/var/lib/registry': {} },
  },
  async fill(root) {
    await fillBusybox(root)
    await fillNginx(root)
    await copyProgram(root, program)
    await cp(join(root, 'bin/docker-registry'), join(root, 'bin/registry'))
    await mkdir(join(root, 'var/lib/registry'), { recursive: true })
    await mkdir(join(root, 'etc/docker/registry'), { recursive: true })
    await cp(join(files, 'config.yml'), join(root, 'etc/docker/registry/config.yml'))
    await cp(join(files, 'front.conf'), join(root, 'etc/nginx/front.conf'))
    await cp(join(files, 'serve-registry'), join(root, 'bin/serve-registry'))
    await cp(join(files, 'collect-garbage'), join(root, 'bin/collect-garbage'))
  },
}
