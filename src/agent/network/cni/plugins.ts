import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { MureError } from '#lib/errors.ts'
import { execResult } from '#lib/exec.ts'
import type { CniPlugin } from '#model/cni.ts'

// The Container Network Interface: programs that are told by their environment what to do, and on what by stdin.
// @see https://github.com/containernetworking/cni/blob/spec-v0.4.0/SPEC.md

const version = '0.4.0'
/** Where distributions and the plugins' own releases put them; `CNI_PATH` goes first. */
const folders = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni']
const pluginMs = 20_000

export interface CniResult {
  readonly ips?: readonly { readonly address?: string; readonly gateway?: string }[]
  readonly routes?: readonly { readonly dst?: string; readonly gw?: string }[]
}

export interface CniCall {
  readonly command: 'ADD' | 'DEL'
  /** The network's name. */
  readonly name: string
  readonly plugins: readonly CniPlugin[]
  readonly containerId: string
  /** '': it is gone. */
  readonly netns: string
  readonly link: string
  /** Asked of the plugin that gives out addresses. */
  readonly address: string
  /** Of the ADD, for a DEL. */
  readonly result?: CniResult
}

/** Runs the plugins one after the other, backwards for a DEL. Gives the last one's result. */
export async function runPlugins(call: CniCall): Promise<CniResult> {
  const { command, name } = call
  const plugins = command === 'ADD' ? call.plugins : [...call.plugins].reverse()
  let result = call.result
  for (const plugin of plugins) {
    const config = {
      cniVersion: version,
      name,
      ...plugin,
      ...(result === undefined ? {} : { prevResult: { cniVersion: version, ...result } }),
    }
    const said = await runPlugin(plugin.type, call, config)
    if (command === 'ADD') result = said
  }
  return result ?? {}
}

async function runPlugin(type: string, call: CniCall, config: object): Promise<CniResult> {
  const { command, containerId, netns, link, address } = call
  const path = [...(process.env['CNI_PATH'] ?? '').split(delimiter).filter((one) => one !== ''), ...folders]
  const program = await find(type, path)
  const { stdout, stderr, exitCode } = await execResult(program, [], {
    input: JSON.stringify(config),
    timeoutMs: pluginMs,
    env: {
      PATH: process.env['PATH'],
      CNI_COMMAND: command,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: netns,
      CNI_IFNAME: link,
      CNI_ARGS: `IgnoreUnknown=1;IP=${address}`,
      CNI_PATH: path.join(delimiter),
    },
  })
  const said = parse(stdout)
  if (exitCode === 0) return said
  const text = (said as { msg?: string; details?: string }).msg ?? stderr.trim()
  throw new MureError('internal', `the CNI plugin ${type} failed: ${text}`)
}

async function find(type: string, path: readonly string[]): Promise<string> {
  for (const folder of path) {
    const program = join(folder, type)
    const isThere = await access(program).then(
      () => true,
      () => false,
    )
    if (isThere) return program
  }
  throw new MureError(
    'unsupported',
    `the CNI plugin ${type} is not on this host, neither in ${path.join(', ')} (Debian: containernetworking-plugins)`,
  )
}

function parse(text: string): object {
  try {
    return text.trim() === '' ? {} : (JSON.parse(text) as object)
  } catch {
    return { msg: text.trim() }
  }
}
