import type { NetworkSpec } from './network.ts'

/** The network driver whose containers are put on their network by the plugins of CNI. */
export const cniDriver = 'cni'

/** A plugin's configuration, as CNI has it: `type` is the plugin's name. */
export type CniPlugin = Readonly<Record<string, unknown>> & { readonly type: string }

const optionPrefix = 'cni.'
/** A whole configuration or list of plugins, as JSON. */
const configOption = 'cni.config'

/**
 * The plugins of a network, in order: those of `cni.config`, or one whose configuration are the other options, as in
 * `--opt cni.type=macvlan --opt cni.master=eth0`. A text: why there is none.
 */
export function cniPluginsOf(spec: NetworkSpec): readonly CniPlugin[] | string {
  const options = spec.driver.options ?? {}
  const config = options[configOption]
  if (config === undefined) {
    const own = Object.entries(options).flatMap(([name, value]) =>
      name.startsWith(optionPrefix) ? [[name.slice(optionPrefix.length), valueOf(value)] as const] : [],
    )
    return checked([Object.fromEntries(own)])
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(config)
  } catch {
    return `${configOption} is not JSON`
  }
  const list =
    typeof parsed === 'object' && parsed !== null && 'plugins' in parsed ? parsed.plugins : [parsed]
  return checked(Array.isArray(list) ? (list as unknown[]) : [])
}

function checked(list: readonly unknown[]): readonly CniPlugin[] | string {
  const plugins: CniPlugin[] = []
  for (const entry of list) {
    const type = typeof entry === 'object' && entry !== null && 'type' in entry ? entry.type : undefined
    // It becomes the name of a program.
    if (typeof type !== 'string' || !/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(type))
      return 'a CNI plugin is needed: --opt cni.type=bridge, macvlan … or --opt cni.config=JSON'
    plugins.push(entry as CniPlugin)
  }
  return plugins.length === 0 ? 'cni.config names no plugin' : plugins
}

/** Options are text; what JSON knows otherwise is meant so. */
function valueOf(text: string): unknown {
  return /^(true|false|\d+|[[{].*)$/.test(text) ? (tryJson(text) ?? text) : text
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
