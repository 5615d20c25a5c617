import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IngressConfiguration } from '#model/ingress/configuration.ts'
import type { Certificates } from './certificate-folder.ts'
import { certificateList, challengesMap, renderConfiguration, routesMap } from './render/configuration.ts'
import type { HostPlaces } from './render/configuration.ts'
import { renderChallengesMap, renderRoutesMap } from './render/maps.ts'
import type { Slots } from './render/slots.ts'

/** One configuration on disk: a folder of its own, so that the one in force is never touched. */
export interface ConfigurationFolder {
  readonly folder: string
  readonly file: string
  readonly socket: string
}

const prefix = 'configuration-'

export async function writeConfiguration(
  root: string,
  number: number,
  what: {
    readonly configuration: IngressConfiguration
    readonly certificates: Certificates
    readonly slots: ReadonlyMap<string, Slots>
    readonly places: Pick<HostPlaces, 'sourceAddress' | 'accessLog' | 'user' | 'hasIpv6'>
  },
): Promise<ConfigurationFolder> {
  const { configuration, certificates, slots } = what
  const folder = join(root, `${prefix}${String(number)}`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const write = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 })
  const files: string[] = [...certificates.files]
  for (const { id, pem } of configuration.certificates) {
    await write(`${id}.pem`, pem)
    files.push(join(folder, `${id}.pem`))
  }
  await write(routesMap, renderRoutesMap(configuration.routes))
  await write(challengesMap, renderChallengesMap(configuration.challenges))
  await write(certificateList, files.map((file) => `${file}\n`).join(''))
  const socket = join(root, `runtime-${String(number)}.sock`)
  const places = { ...what.places, folder, runtimeSocket: socket, hasCertificates: files.length > 0 }
  const file = join(folder, 'haproxy.cfg')
  await write(
    'haproxy.cfg',
    renderConfiguration(configuration, (route) => slots.get(route.id) ?? [], places),
  )
  await chmod(file, 0o600)
  return { folder, file, socket }
}

/** Only the one in force stays. */
export async function removeOtherConfigurations(
  root: string,
  inForce: ConfigurationFolder | undefined,
): Promise<void> {
  for (const name of await readdir(root)) {
    const path = join(root, name)
    const isOurs = name.startsWith(prefix) || /^runtime-\d+\.sock$/.test(name)
    if (!isOurs || path === inForce?.folder || path === inForce?.socket) continue
    await rm(path, { recursive: true, force: true })
  }
}
