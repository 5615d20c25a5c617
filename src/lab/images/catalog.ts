import { join } from 'node:path'
import { busybox, fillBusybox, path, writeScript } from './files.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import { registry } from './registry.ts'
import type { SeedImage } from './seed-image.ts'

/** Says who answers: enough to see requests being spread, and an address for "is it well?". */
const serve = `#!/bin/sh
mkdir -p /www
echo "Hello from $(hostname)" >/www/index.html
echo ok >/www/health
exec httpd -f -p 8080 -h /www
`

/**
 * The images that are in every lab's registry from the start. To add one: a file of its own that exports a
 * SeedImage, and a line here.
 */
export const seedImages: readonly SeedImage[] = [
  {
    name: 'busybox',
    tag: 'latest',
    sources: [busybox],
    config: { Cmd: ['sh'], Env: [path] },
    fill: fillBusybox,
  },
  {
    name: 'web',
    tag: 'latest',
    sources: [busybox],
    // httpd has no handler for SIGTERM, and what has none is not heard by a container's first process.
    config: { Cmd: ['/bin/serve'], Env: [path], ExposedPorts: { '8080/tcp': {} }, StopSignal: 'SIGKILL' },
    async fill(root) {
      await fillBusybox(root)
      await writeScript(join(root, 'bin', 'serve'), serve)
    },
  },
  haproxy,
  nginx,
  registry,
]
