import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { copyProgram, fillBusybox, path } from './files.ts'
import type { SeedImage } from './seed-image.ts'

export const nginxProgram = '/usr/sbin/nginx'
const mimeTypes = '/etc/nginx/mime.types'

const configuration = `user nobody nogroup;
worker_processes 1;
error_log /dev/stderr warn;
pid /run/nginx.pid;
daemon off;
events { worker_connections 1024; }
http {
  include mime.types;
  default_type application/octet-stream;
  access_log off;
  server_tokens off;
  keepalive_timeout 65;
  include conf.d/*.conf;
}
`

const welcome = `server {
  listen 80;
  location / { default_type text/plain; return 200 "Hello from nginx on $hostname\\n"; }
}
`

/** nginx of the Debian package. As in the well-known image, whoever builds on it puts a file into conf.d. */
export const nginx: SeedImage = {
  name: 'nginx',
  tag: 'latest',
  sources: ['/bin/busybox', nginxProgram, mimeTypes],
  config: { Cmd: ['nginx'], Env: [path], ExposedPorts: { '80/tcp': {} }, StopSignal: 'SIGQUIT' },
  async fill(root) {
    await fillBusybox(root)
    await fillNginx(root)
    await writeFile(join(root, 'etc/nginx/conf.d/default.conf'), welcome)
  },
}

export async function fillNginx(root: string): Promise<void> {
  await copyProgram(root, nginxProgram)
  await mkdir(join(root, 'etc/nginx/conf.d'), { recursive: true })
  for (const folder of ['log/nginx', 'lib/nginx']) await mkdir(join(root, 'var', folder), { recursive: true })
  await cp(mimeTypes, join(root, 'etc/nginx/mime.types'))
  await writeFile(join(root, 'etc/nginx/nginx.conf'), configuration)
}
