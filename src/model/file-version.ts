import type { ContainerSpec } from './container.ts'
import type { ConfigId, SecretId } from './id.ts'
import type { Config, Secret } from './secret.ts'
import type { TaskTemplate } from './service.ts'
import type { Task } from './task.ts'

/*
 * A secret (or config) that is given new data has a new version. A service's spec says by which version it goes, so
 * that a changed secret is a changed spec: it is rolled out and rolled back like any other.
 */

export const newestVersion = (object: Secret | Config): number => object.status.version ?? 0

/** How nodes know one version of an object: by the id of it alone while there is no other. */
export const fileKey = (id: SecretId | ConfigId, version = 0): string =>
  version === 0 ? id : `${id}@${String(version)}`

const known = new WeakMap<Secret | Config, Map<number, Secret | Config | undefined>>()

/** The object as it was at a version, named by its `fileKey`; undefined once nobody could need it any more. */
export function atVersion<T extends Secret | Config>(object: T, version = 0): T | undefined {
  if (version === 0 && newestVersion(object) === 0) return object
  let versions = known.get(object)
  if (versions === undefined) known.set(object, (versions = new Map<number, Secret | Config | undefined>()))
  if (!versions.has(version)) versions.set(version, extracted(object, version))
  return versions.get(version) as T | undefined
}

function extracted(object: Secret | Config, version: number): Secret | Config | undefined {
  const meta = { ...object.meta, id: fileKey(object.meta.id, version) }
  const { templating: _, ...spec } = object.spec
  if (version === newestVersion(object)) return { ...object, meta, status: {} } as Secret | Config
  const found = object.status.earlier?.find((earlier) => earlier.version === version)
  if (found === undefined) return undefined
  const { data, templating } = found
  return {
    ...object,
    meta,
    spec: { ...spec, data, ...(templating === undefined ? {} : { templating }) },
    status: {},
  } as Secret | Config
}

/** The object with new content; of the earlier versions those in `needed` are kept. */
export function withContent<T extends Secret | Config>(
  object: T,
  content: Pick<T['spec'], 'data' | 'templating'>,
  needed: ReadonlySet<number>,
): T {
  const { data, templating, ...spec } = object.spec
  const version = newestVersion(object)
  const all = [
    ...(object.status.earlier ?? []),
    { version, data, ...(templating === undefined ? {} : { templating }) },
  ]
  return {
    ...object,
    spec: { ...spec, ...content },
    status: { version: version + 1, earlier: all.filter((earlier) => needed.has(earlier.version)) },
  }
}

/** The template with the versions that its secrets and configs are to have; undefined: as it is. */
export function withVersions(
  template: TaskTemplate,
  versionOf: (id: SecretId | ConfigId, present: number) => number | undefined,
): TaskTemplate {
  const pinned = <R extends { readonly version?: number }>(reference: R, id: SecretId | ConfigId): R => {
    const { version: present = 0, ...rest } = reference
    const version = versionOf(id, present) ?? present
    return (version === 0 ? rest : { ...rest, version }) as R
  }
  const inContainer = (container: ContainerSpec): ContainerSpec => {
    const { secrets, configs } = container
    if (secrets === undefined && configs === undefined) return container
    return {
      ...container,
      ...(secrets && { secrets: secrets.map((reference) => pinned(reference, reference.secretId)) }),
      ...(configs && { configs: configs.map((reference) => pinned(reference, reference.configId)) }),
    }
  }
  return {
    ...template,
    containers: template.containers.map(inContainer),
    ...(template.initContainers && { initContainers: template.initContainers.map(inContainer) }),
  }
}

/** The versions that a template names, by id. */
export function versionsIn(template: TaskTemplate): Map<SecretId | ConfigId, number> {
  const versions = new Map<SecretId | ConfigId, number>()
  for (const container of [...(template.initContainers ?? []), ...template.containers]) {
    for (const { secretId, version } of container.secrets ?? []) versions.set(secretId, version ?? 0)
    for (const { configId, version } of container.configs ?? []) versions.set(configId, version ?? 0)
  }
  return versions
}

export const withoutVersions = (template: TaskTemplate): TaskTemplate => withVersions(template, () => 0)

const refreshed = new WeakMap<TaskTemplate, Map<string, TaskTemplate>>()

/** What the task's container is made of by now: its spec, with the files it was given since. */
export function presentTemplate(task: Task): TaskTemplate {
  const { spec, refresh } = task
  if (refresh === undefined) return spec
  const key = JSON.stringify(refresh.versions)
  let templates = refreshed.get(spec)
  if (templates === undefined) refreshed.set(spec, (templates = new Map<string, TaskTemplate>()))
  let template = templates.get(key)
  if (template === undefined)
    templates.set(key, (template = withVersions(spec, (id) => refresh.versions[id])))
  return template
}
