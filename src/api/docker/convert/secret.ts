import { defined } from '#lib/defined.ts'
import { MureError } from '#lib/errors.ts'
import type { Config, ConfigSpec, Secret, SecretSpec } from '#model/secret.ts'
import { Fields } from './fields.ts'
import { metaFromModel } from './meta.ts'
import { driverFromModel, driverToModel } from './template.ts'

export function secretSpecToModel(body: unknown): SecretSpec {
  const from = new Fields(body, 'SecretSpec')
  const driver = from.object('Driver')
  const templating = from.object('Templating')
  return defined({
    name: from.string('Name') ?? '',
    labels: from.stringMap('Labels') ?? {},
    data: base64Of(from.bytes('Data') ?? ''),
    driver: driver && driverToModel(driver),
    templating: templating && driverToModel(templating),
  })
}

/** A secret's data is never given back. */
export const secretFromModel = (secret: Secret): object => ({
  ...metaFromModel(secret.meta),
  Spec: defined({
    Name: secret.spec.name,
    Labels: secret.spec.labels,
    Driver: secret.spec.driver && driverFromModel(secret.spec.driver),
    Templating: secret.spec.templating && driverFromModel(secret.spec.templating),
  }),
})

export function configSpecToModel(body: unknown): ConfigSpec {
  const from = new Fields(body, 'ConfigSpec')
  const templating = from.object('Templating')
  return defined({
    name: from.string('Name') ?? '',
    labels: from.stringMap('Labels') ?? {},
    data: base64Of(from.bytes('Data') ?? ''),
    templating: templating && driverToModel(templating),
  })
}

export const configFromModel = (config: Config): object => ({
  ...metaFromModel(config.meta),
  Spec: defined({
    Name: config.spec.name,
    Labels: config.spec.labels,
    Data: config.spec.data,
    Templating: config.spec.templating && driverFromModel(config.spec.templating),
  }),
})

/** Go's words for what is not base64: where it ceases to be. */
function base64Of(text: string): string {
  const clean = text.replaceAll(/[\r\n]/g, '')
  const wrong = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(clean)
    ? -1
    : (/^[A-Za-z0-9+/]*/.exec(clean)?.[0].length ?? 0)
  if (wrong >= 0) throw new MureError('invalid', `illegal base64 data at input byte ${String(wrong)}`)
  return clean
}
