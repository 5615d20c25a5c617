import { MureError } from '#lib/errors.ts'
import type { ConfigId, SecretId } from '#model/id.ts'
import type { Config, ConfigSpec, Secret, SecretSpec } from '#model/secret.ts'
import type { ObjectsByKind } from '#model/objects.ts'
import { usesConfig, usesSecret } from '#model/secret-use.ts'
import { nameProblem } from '#model/validate/name.ts'
import { refuse } from '#model/validate/problem.ts'
import type { ServiceSpec } from '#model/service.ts'
import type { View } from '#store/mirror/view.ts'
import type { WriteOptions } from './control.ts'
import { grpcText } from './grpc-text.ts'
import type { ObjectWriter } from './objects.ts'
import { rotateServices, withNewContent } from './rotation.ts'

/** swarmkit's limits: a secret is below 500 KiB, a config below 1000 KiB. */
const maxBytes = { secret: 500 * 1024, config: 1000 * 1024 } as const

type Named = 'secret' | 'config'

export async function createSecret(
  writer: ObjectWriter,
  spec: SecretSpec,
  options: WriteOptions,
): Promise<Secret> {
  check('secret', spec)
  return writer.create(
    { kind: 'secret', meta: writer.newMeta<SecretId>(spec.name, spec.labels, options), spec, status: {} },
    options.wait,
  )
}

export async function createConfig(
  writer: ObjectWriter,
  spec: ConfigSpec,
  options: WriteOptions,
): Promise<Config> {
  check('config', spec)
  return writer.create(
    { kind: 'config', meta: writer.newMeta<ConfigId>(spec.name, spec.labels, options), spec, status: {} },
    options.wait,
  )
}

export function updateSecret(
  writer: ObjectWriter,
  id: SecretId,
  version: number,
  spec: SecretSpec,
  options: WriteOptions,
): Promise<Secret> {
  return updateFile(writer, 'secret', id, version, spec, options)
}

export function updateConfig(
  writer: ObjectWriter,
  id: ConfigId,
  version: number,
  spec: ConfigSpec,
  options: WriteOptions,
): Promise<Config> {
  return updateFile(writer, 'config', id, version, spec, options)
}

/** New labels, and with new data a new version, which goes to the services that use it in the same transaction. */
function updateFile<K extends Named>(
  writer: ObjectWriter,
  kind: K,
  id: string,
  version: number,
  spec: SecretSpec | ConfigSpec,
  options: WriteOptions,
): Promise<ObjectsByKind[K]> {
  const hasData = spec.data !== ''
  if (hasData) check(kind, spec)
  return writer.change(
    kind,
    id,
    version,
    options,
    (present) => {
      if (spec.name !== present.spec.name)
        throw new MureError('invalid', grpcText('InvalidArgument', 'only updates to Labels are allowed'))
      const next = hasData ? withNewContent(writer.mirror, present, spec) : present
      return {
        ...next,
        meta: writer.nextMeta<SecretId | ConfigId>(present.meta, spec.labels, options),
        spec: { ...next.spec, labels: spec.labels },
      }
    },
    (next) => (hasData ? rotateServices(writer.mirror, next, writer.clock.now()) : []),
  )
}

export function removeSecret(writer: ObjectWriter, id: SecretId, options: WriteOptions): Promise<void> {
  return writer.remove('secret', id, options.wait, (secret) => {
    refuseUsed(writer.mirror, 'secret', secret.spec.name, (spec) => usesSecret(spec, id))
  })
}

export function removeConfig(writer: ObjectWriter, id: ConfigId, options: WriteOptions): Promise<void> {
  return writer.remove('config', id, options.wait, (config) => {
    refuseUsed(writer.mirror, 'config', config.spec.name, (spec) => usesConfig(spec, id))
  })
}

function check(kind: Named, spec: SecretSpec | ConfigSpec): void {
  refuse(nameProblem(kind, spec.name), (text) => grpcText('InvalidArgument', text))
  const bytes = Buffer.from(spec.data, 'base64').length
  const hasDriver = 'driver' in spec
  if (!hasDriver && (bytes === 0 || bytes >= maxBytes[kind])) {
    throw new MureError(
      'invalid',
      grpcText(
        'InvalidArgument',
        `${kind} data must be larger than 0 and less than ${String(maxBytes[kind])} bytes`,
      ),
    )
  }
}

function refuseUsed(view: View, kind: Named, name: string, uses: (spec: ServiceSpec) => boolean): void {
  const users = [...view.list('service')]
    .filter((service) => uses(service.spec))
    .map((service) => service.spec.name)
  if (users.length === 0) return
  throw new MureError(
    'invalid',
    grpcText(
      'InvalidArgument',
      `${kind} '${name}' is in use by the following service${users.length === 1 ? '' : 's'}: ${users.sort().join(', ')}`,
    ),
  )
}
