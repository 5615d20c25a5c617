import { defined } from '#lib/defined.ts'
import type { Declared, ServiceFacts, TlsSource } from '../declaration.ts'
import { listOf, matchesOf, Reader, readHost, readPath, readPort } from '../values.ts'

/**
 * The environment that nginx-proxy reads: VIRTUAL_HOST (several by commas), VIRTUAL_PORT, VIRTUAL_PATH,
 * VIRTUAL_PROTO, and its companion's LETSENCRYPT_HOST. dockercloud/haproxy's VIRTUAL_HOST is a URL with a port and a
 * path (`http://app.example.com:80/api/*`), and its port is one of SERVICE_PORTS.
 * @see https://github.com/nginx-proxy/nginx-proxy/tree/main/docs
 * @see https://github.com/docker/dockercloud-haproxy#virtual-host-and-virtual-path
 */
export function virtualHost({ environment, defaultPort }: ServiceFacts): Declared | undefined {
  const text = environment['VIRTUAL_HOST']
  const servicePorts = environment['SERVICE_PORTS']
  if ((text === undefined || text.trim() === '') && servicePorts === undefined) return undefined
  const reader = new Reader()
  const ports = reader.all('SERVICE_PORTS', listOf(servicePorts ?? ''), readPort)
  const given = environment['VIRTUAL_PORT']
  const port =
    (given === undefined ? undefined : reader.take('VIRTUAL_PORT', readPort(given))) ??
    ports[0] ??
    defaultPort
  const ownPath = reader.take('VIRTUAL_PATH', readPath(environment['VIRTUAL_PATH'] ?? ''))
  // Without a host, what is for nobody else comes here: as of dockercloud's image with SERVICE_PORTS alone.
  const names = listOf(text ?? '')
  const matches = (names.length === 0 ? ['*'] : names).flatMap((name) => {
    const { host, path } = splitUrl(name)
    const hosts = reader.all('VIRTUAL_HOST', [host], readHost)
    const paths = reader.all('VIRTUAL_HOST', [path === '' ? (ownPath ?? '/') : path], readPath)
    return matchesOf(hosts, paths)
  })
  const isGrpc = /^(grpc|h2c)$/i.test(environment['VIRTUAL_PROTO'] ?? '')
  const wantsCertificate = (environment['LETSENCRYPT_HOST'] ?? '').trim() !== ''
  const declaration = defined({
    matches,
    port,
    tls: wantsCertificate ? ({ from: 'acme' } satisfies TlsSource) : undefined,
    isSticky: (environment['COOKIE'] ?? environment['APPSESSION'] ?? '') !== '',
    protocol: isGrpc ? ('h2c' as const) : ('http' as const),
  })
  const { problems } = reader
  return { declarations: problems.length > 0 ? [] : [declaration], problems }
}

/** The host and path of `http://host:80/path/*`, of `host/path` and of `host`. */
function splitUrl(text: string): { host: string; path: string } {
  const rest = text.replace(/^[a-z]+:\/\//i, '')
  const slash = rest.indexOf('/')
  const authority = slash < 0 ? rest : rest.slice(0, slash)
  const path = slash < 0 ? '' : rest.slice(slash).replace(/\*$/, '')
  return { host: authority.replace(/:\d+$/, ''), path: path === '' || path === '/' ? '' : path }
}
