import { defined } from '#lib/defined.ts'
import { MureError } from '#lib/errors.ts'
import type { ConfigId, SecretId } from '#model/id.ts'
import type {
  ConfigReference,
  ContainerSpec,
  FileTarget,
  HealthCheck,
  Mount,
  Privileges,
  SecretReference,
} from '#model/container.ts'
import type { Fields } from './fields.ts'
import { nanoseconds, oneOf, omitEmpty } from './fields.ts'

/** Docker's `ContainerSpec`. */
export function containerToModel(from: Fields): ContainerSpec {
  return defined({
    name: '',
    image: from.string('Image') ?? '',
    labels: from.stringMap('Labels'),
    command: from.strings('Command'),
    args: from.strings('Args'),
    hostname: from.string('Hostname'),
    env: from.strings('Env'),
    workingDirectory: from.string('Dir'),
    user: from.string('User'),
    groups: from.strings('Groups'),
    privileges: map(from.object('Privileges'), privilegesToModel),
    init: from.boolean('Init'),
    stopSignal: from.string('StopSignal'),
    stopGracePeriodMs: from.duration('StopGracePeriod'),
    tty: from.boolean('TTY'),
    openStdin: from.boolean('OpenStdin'),
    readOnly: from.boolean('ReadOnly'),
    mounts: from.objects('Mounts', mountToModel),
    healthCheck: map(from.object('Healthcheck'), healthToModel),
    hosts: from.strings('Hosts'),
    dns: map(from.object('DNSConfig'), (dns) =>
      defined({
        nameservers: dns.strings('Nameservers'),
        search: dns.strings('Search'),
        options: dns.strings('Options'),
      }),
    ),
    secrets: from.objects('Secrets', secretToModel),
    configs: from.objects('Configs', configToModel),
    isolation: otherThan('default', from.string('Isolation')),
    sysctls: from.stringMap('Sysctls'),
    capabilityAdd: from.strings('CapabilityAdd'),
    capabilityDrop: from.strings('CapabilityDrop'),
    ulimits: from.objects('Ulimits', (limit) => ({
      name: limit.string('Name') ?? '',
      soft: limit.integer('Soft') ?? 0,
      hard: limit.integer('Hard') ?? 0,
    })),
    oomScoreAdj: from.integer('OomScoreAdj'),
  })
}

/** A default that is told is no difference to one that is not: clients send back what they were shown. */
const otherThan = (usual: string, text: string | undefined): string | undefined =>
  text === '' || text === usual ? undefined : text

export function containerFromModel(spec: ContainerSpec): object {
  return defined({
    Image: omitEmpty(spec.image),
    Labels: omitEmpty(spec.labels),
    Command: omitEmpty(spec.command),
    Args: omitEmpty(spec.args),
    Hostname: omitEmpty(spec.hostname),
    Env: omitEmpty(spec.env),
    Dir: omitEmpty(spec.workingDirectory),
    User: omitEmpty(spec.user),
    Groups: omitEmpty(spec.groups),
    Privileges: map(spec.privileges, privilegesFromModel),
    Init: spec.init,
    StopSignal: omitEmpty(spec.stopSignal),
    TTY: omitEmpty(spec.tty),
    OpenStdin: omitEmpty(spec.openStdin),
    ReadOnly: omitEmpty(spec.readOnly),
    Mounts: omitEmpty(spec.mounts?.map(mountFromModel)),
    StopGracePeriod: nanoseconds(spec.stopGracePeriodMs),
    Healthcheck: map(spec.healthCheck, healthFromModel),
    Hosts: omitEmpty(spec.hosts),
    DNSConfig: map(spec.dns, (dns) =>
      defined({
        Nameservers: omitEmpty(dns.nameservers),
        Search: omitEmpty(dns.search),
        Options: omitEmpty(dns.options),
      }),
    ),
    Secrets: omitEmpty(spec.secrets?.map(secretFromModel)),
    Configs: omitEmpty(spec.configs?.map(configFromModel)),
    Isolation: omitEmpty(spec.isolation) ?? 'default',
    Sysctls: omitEmpty(spec.sysctls),
    CapabilityAdd: omitEmpty(spec.capabilityAdd),
    CapabilityDrop: omitEmpty(spec.capabilityDrop),
    Ulimits: omitEmpty(
      spec.ulimits?.map((limit) => ({ Name: limit.name, Hard: limit.hard, Soft: limit.soft })),
    ),
    OomScoreAdj: omitEmpty(spec.oomScoreAdj),
  })
}

function map<T, U>(value: T | undefined, convert: (value: T) => U): U | undefined {
  return value === undefined ? undefined : convert(value)
}

const mountTypes = ['bind', 'volume', 'tmpfs', 'npipe', 'cluster', 'image'] as const

const propagations = ['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave'] as const

const propagationToModel = (text: string | undefined): string | undefined =>
  oneOf(text, propagations, `invalid MountPropagation: "${text ?? ''}"`)

function mountToModel(from: Fields): Mount {
  const type = from.string('Type') ?? ''
  return defined({
    type: oneOf(type, mountTypes, `invalid MountType: "${type}"`) ?? 'bind',
    source: from.string('Source'),
    target: from.string('Target') ?? '',
    readOnly: from.boolean('ReadOnly'),
    consistency: from.string('Consistency'),
    bind: map(from.object('BindOptions'), (bind) =>
      defined({
        propagation: propagationToModel(bind.string('Propagation')),
        nonRecursive: bind.boolean('NonRecursive'),
        createMountpoint: bind.boolean('CreateMountpoint'),
        readOnlyNonRecursive: bind.boolean('ReadOnlyNonRecursive'),
        readOnlyForceRecursive: bind.boolean('ReadOnlyForceRecursive'),
      }),
    ),
    volume: map(from.object('VolumeOptions'), (volume) =>
      defined({
        noCopy: volume.boolean('NoCopy'),
        labels: volume.stringMap('Labels'),
        subpath: volume.string('Subpath'),
        driver: map(volume.object('DriverConfig'), (driver) =>
          defined({ name: driver.string('Name'), options: driver.stringMap('Options') }),
        ),
      }),
    ),
    tmpfs: map(from.object('TmpfsOptions'), (tmpfs) =>
      defined({
        sizeBytes: tmpfs.integer('SizeBytes'),
        mode: tmpfs.integer('Mode'),
        options: tmpfs.textLists('Options'),
      }),
    ),
  })
}

function mountFromModel(mount: Mount): object {
  return defined({
    Type: mount.type,
    Source: omitEmpty(mount.source),
    Target: omitEmpty(mount.target),
    ReadOnly: omitEmpty(mount.readOnly),
    Consistency: omitEmpty(mount.consistency),
    BindOptions: map(mount.bind, (bind) =>
      defined({
        Propagation: omitEmpty(bind.propagation),
        NonRecursive: omitEmpty(bind.nonRecursive),
        CreateMountpoint: omitEmpty(bind.createMountpoint),
        ReadOnlyNonRecursive: omitEmpty(bind.readOnlyNonRecursive),
        ReadOnlyForceRecursive: omitEmpty(bind.readOnlyForceRecursive),
      }),
    ),
    VolumeOptions: map(mount.volume, (volume) =>
      defined({
        NoCopy: omitEmpty(volume.noCopy),
        Labels: omitEmpty(volume.labels),
        Subpath: omitEmpty(volume.subpath),
        DriverConfig: map(volume.driver, (driver) =>
          defined({ Name: omitEmpty(driver.name), Options: omitEmpty(driver.options) }),
        ),
      }),
    ),
    TmpfsOptions: map(mount.tmpfs, (tmpfs) =>
      defined({
        SizeBytes: omitEmpty(tmpfs.sizeBytes),
        Mode: omitEmpty(tmpfs.mode),
        Options: omitEmpty(tmpfs.options),
      }),
    ),
  })
}

function healthToModel(from: Fields): HealthCheck {
  return defined({
    test: from.strings('Test'),
    intervalMs: from.duration('Interval'),
    timeoutMs: from.duration('Timeout'),
    startPeriodMs: from.duration('StartPeriod'),
    startIntervalMs: from.duration('StartInterval'),
    retries: from.integer('Retries'),
  })
}

function healthFromModel(health: HealthCheck): object {
  return defined({
    Test: omitEmpty(health.test),
    Interval: omitEmpty(nanoseconds(health.intervalMs)),
    Timeout: omitEmpty(nanoseconds(health.timeoutMs)),
    StartPeriod: omitEmpty(nanoseconds(health.startPeriodMs)),
    StartInterval: omitEmpty(nanoseconds(health.startIntervalMs)),
    Retries: omitEmpty(health.retries),
  })
}

function fileToModel(from: Fields): FileTarget {
  return {
    name: from.string('Name') ?? '',
    uid: from.string('UID') ?? '',
    gid: from.string('GID') ?? '',
    mode: from.integer('Mode') ?? 0,
  }
}

const fileFromModel = (file: FileTarget): object => ({
  Name: file.name,
  UID: file.uid,
  GID: file.gid,
  Mode: file.mode,
})

function secretToModel(from: Fields): SecretReference {
  return defined({
    secretId: (from.string('SecretID') ?? '') as SecretId,
    secretName: from.string('SecretName') ?? '',
    file: map(from.object('File'), fileToModel),
  })
}

const secretFromModel = (reference: SecretReference): object => ({
  File: reference.file === undefined ? null : fileFromModel(reference.file),
  SecretID: reference.secretId,
  SecretName: reference.secretName,
})

function configToModel(from: Fields): ConfigReference {
  return defined({
    configId: (from.string('ConfigID') ?? '') as ConfigId,
    configName: from.string('ConfigName') ?? '',
    file: map(from.object('File'), fileToModel),
    runtime: from.object('Runtime') === undefined ? undefined : true,
  })
}

const configFromModel = (reference: ConfigReference): object =>
  defined({
    File: map(reference.file, fileFromModel),
    Runtime: reference.runtime === true ? {} : undefined,
    ConfigID: reference.configId,
    ConfigName: reference.configName,
  })

function credentialSpecToModel(from: Fields): NonNullable<Privileges['credentialSpec']> {
  const spec = { config: from.string('Config'), file: from.string('File'), registry: from.string('Registry') }
  const given = Object.entries(spec).filter(([, text]) => text !== undefined && text !== '')
  const [first, second] = given.map(([name]) => name)
  if (first === undefined)
    throw new MureError(
      'invalid',
      'invalid CredentialSpec: must either provide "file", "registry", or "config" for credential spec',
    )
  if (second !== undefined)
    throw new MureError(
      'invalid',
      `invalid CredentialSpec: cannot specify both "${first}" and "${second}" credential specs`,
    )
  return defined(spec)
}

function privilegesToModel(from: Fields): Privileges {
  return defined({
    credentialSpec: map(from.object('CredentialSpec'), credentialSpecToModel),
    seLinuxContext: map(from.object('SELinuxContext'), (context) =>
      defined({
        disable: context.boolean('Disable'),
        user: context.string('User'),
        role: context.string('Role'),
        type: context.string('Type'),
        level: context.string('Level'),
      }),
    ),
    seccomp: map(from.object('Seccomp'), (seccomp) =>
      defined({ mode: seccomp.string('Mode'), profile: seccomp.string('Profile') }),
    ),
    appArmor: map(from.object('AppArmor'), (profile) => defined({ mode: profile.string('Mode') })),
    noNewPrivileges: from.boolean('NoNewPrivileges'),
  })
}

function privilegesFromModel(privileges: Privileges): object {
  const { credentialSpec, seLinuxContext } = privileges
  return {
    CredentialSpec:
      credentialSpec === undefined
        ? null
        : {
            Config: credentialSpec.config ?? '',
            File: credentialSpec.file ?? '',
            Registry: credentialSpec.registry ?? '',
          },
    SELinuxContext:
      seLinuxContext === undefined
        ? null
        : {
            Disable: seLinuxContext.disable ?? false,
            User: seLinuxContext.user ?? '',
            Role: seLinuxContext.role ?? '',
            Type: seLinuxContext.type ?? '',
            Level: seLinuxContext.level ?? '',
          },
    ...defined({
      Seccomp: map(privileges.seccomp, (seccomp) =>
        defined({ Mode: seccomp.mode, Profile: seccomp.profile }),
      ),
      AppArmor: map(privileges.appArmor, (profile) => defined({ Mode: profile.mode })),
      NoNewPrivileges: omitEmpty(privileges.noNewPrivileges),
    }),
  }
}
