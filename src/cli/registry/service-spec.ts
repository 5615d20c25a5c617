/** What a registry of the cluster is made from. */
export interface RegistryWish {
  readonly name: string
  readonly image: string
  readonly port: number
  /** Where its images are kept, and so the only node that it can run on. */
  readonly nodeId: string
  /** MiB that are kept free on that node's disk: pushes are refused before. */
  readonly reserve: number
  /** Of secrets, in the names that the registry's own settings have for them. */
  readonly secrets: Partial<Record<RegistrySecret, { readonly id: string; readonly name: string }>>
}

export type RegistrySecret = 'htpasswd' | 'certificate' | 'key'

export const registryLabel = 'mure.registry'
export const volumeOf = (name: string): string => `mure-registry-${name}`
export const secretNameOf = (registry: string, secret: RegistrySecret): string =>
  `mure-registry-${registry}-${secret}`
const storage = '/var/lib/registry'
const pathOf = (secret: RegistrySecret): string => `/run/secrets/registry-${secret}`

/**
 * A service of one task with a volume. All settings are environment, as of the well-known image.
 * @see https://distribution.github.io/distribution/about/configuration/
 */
export function registryServiceSpec(wish: RegistryWish): object {
  return {
    Name: wish.name,
    Labels: { [registryLabel]: wish.name },
    TaskTemplate: {
      ContainerSpec: {
        Image: wish.image,
        Env: environmentOf(wish),
        Mounts: [{ Type: 'volume', Source: volumeOf(wish.name), Target: storage }],
        Secrets: Object.entries(wish.secrets).map(([secret, { id, name }]) => ({
          SecretID: id,
          SecretName: name,
          File: { Name: `registry-${secret}`, UID: '0', GID: '0', Mode: 0o400 },
        })),
      },
      Placement: { Constraints: [`node.id==${wish.nodeId}`] },
      RestartPolicy: { Condition: 'any' },
    },
    Mode: { Replicated: { Replicas: 1 } },
    EndpointSpec: {
      Mode: 'vip',
      Ports: [{ Protocol: 'tcp', TargetPort: 5000, PublishedPort: wish.port, PublishMode: 'ingress' }],
    },
  }
}

function environmentOf({ secrets, reserve }: RegistryWish): string[] {
  const settings: Record<string, string> = {
    REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: storage,
    REGISTRY_STORAGE_DELETE_ENABLED: 'true',
    MURE_REGISTRY_RESERVE_MIB: String(reserve),
  }
  if (secrets.htpasswd !== undefined) {
    settings['REGISTRY_AUTH'] = 'htpasswd'
    settings['REGISTRY_AUTH_HTPASSWD_REALM'] = 'registry'
    settings['REGISTRY_AUTH_HTPASSWD_PATH'] = pathOf('htpasswd')
  }
  if (secrets.certificate !== undefined) {
    settings['REGISTRY_HTTP_TLS_CERTIFICATE'] = pathOf('certificate')
    settings['REGISTRY_HTTP_TLS_KEY'] = pathOf('key')
  }
  return Object.entries(settings).map(([name, value]) => `${name}=${value}`)
}
