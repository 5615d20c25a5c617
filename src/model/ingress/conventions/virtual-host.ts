import { defined } from '#lib/defined.ts'
import type { Declared, ServiceFacts, TlsSource } from '../declaration.ts'
import { listOf, matchesOf, Reader, readHost, readPath, readPort, readProtocol } from '../values.ts'
import type { Read } from '../values.ts'

/**
 * The environment that nginx-proxy reads: VIRTUAL_HOST (several by commas), VIRTUAL_PORT, VIRTUAL_PATH,
 * VIRTUAL_DEST, VIRTUAL_PROTO, HTTPS_METHOD, NETWORK_ACCESS, and its companion's LETSENCRYPT_HOST. dockercloud/haproxy's VIRTUAL_HOST is a URL with a port and a
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
  const protocol = reader.take('VIRTUAL_PROTO', readProtocol(environment['VIRTUAL_PROTO'] ?? ''))
  const method = reader.take('HTTPS_METHOD', readHttpsMethod(environment['HTTPS_METHOD'] ?? ''))
  const wantsCertificate = (environment['LETSENCRYPT_HOST'] ?? '').trim() !== '' && method !== 'nohttps'
  const destination = (environment['VIRTUAL_DEST'] ?? '').trim()
  const by = destination === '' ? undefined : reader.take('VIRTUAL_DEST', readPath(destination))
  const declaration = defined({
    matches,
    port,
    tls: wantsCertificate ? ({ from: 'acme' } satisfies TlsSource) : undefined,
    isSticky: (environment['COOKIE'] ?? environment['APPSESSION'] ?? '') !== '',
    protocol: protocol ?? ('http' as const),
    withoutTls:
      method === 'noredirect' ? ('serve' as const) : method === 'nohttp' ? ('refuse' as const) : undefined,
    rewrite: by === undefined ? undefined : { prefixes: [...new Set(matches.map(({ path }) => path))], by },
    allowedFrom: environment['NETWORK_ACCESS'] === 'internal' ? privateNetworks : undefined,
  })
  const { problems } = reader
  return { declarations: problems.length > 0 ? [] : [declaration], problems }
}

/** As of nginx-proxy's own file for NETWORK_ACCESS=internal, and their like of IPv6. */
const privateNetworks = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1', 'fc00::/7']

const httpsMethods = ['', 'redirect', 'noredirect', 'nohttp', 'nohttps']

function readHttpsMethod(text: string): Read<string> {
  const value = text.trim()
  if (httpsMethods.includes(value)) return { value }
  return { problem: `"${value.slice(0, 60)}" is none of ${httpsMethods.slice(1).join(', ')}` }
}

/** The host and path of `http://host:80/path/*`, of `host/path` and of `host`. */
function splitUrl(text: string): { host: string; path: string } {
  const rest = text.replace(/^[a-z]+:\/\//i, '')
  const slash = rest.indexOf('/')
  const authority = slash < 0 ? rest : rest.slice(0, slash)
  const path = slash < 0 ? '' : rest.slice(slash).replace(/\*$/, '')
  return { host: authority.replace(/:\d+$/, ''), path: path === '' || path === '/' ? '' : path }
}
