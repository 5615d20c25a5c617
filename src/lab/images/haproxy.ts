import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { copyProgram, fillBusybox, path } from './files.ts'
import type { SeedImage } from './seed-image.ts'

const program = '/usr/sbin/haproxy'

const configuration = `defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend http
  bind :80
  http-request return status 200 content-type text/plain string "Hello from HAProxy\\n"
`

/** HAProxy of the Debian package. As in the well-known image, the configuration is in /usr/local/etc/haproxy. */
export const haproxy: SeedImage = {
  name: 'haproxy',
  tag: 'latest',
  sources: ['/bin/busybox', program],
  config: {
    Cmd: ['haproxy', '-W', '-db', '-f', '/usr/local/etc/haproxy/haproxy.cfg'],
    Env: [path],
    StopSignal: 'SIGUSR1',
  },
  async fill(root) {
    await fillBusybox(root)
    await copyProgram(root, program)
    const folder = join(root, 'usr/local/etc/haproxy')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'haproxy.cfg'), configuration)
  },
}
