import { execResult } from '#lib/exec.ts'
import { bridgePrefix } from '../device-names.ts'

/** A rule of iptables as it lists it, and the chains that it may stand in, best first. */
interface AcceptRule {
  readonly chains: readonly string[]
  readonly rule: string
}

/** How a rule of ours is known in a table of somebody else. */
const comment = 'mure'

/**
 * What the engine's rules and a host's firewall (ufw, firewalld) have to let pass, before they refuse what they do not
 * know. What it lets pass has been looked at by our own rules, which come first (`host-rules.ts`).
 */
export function acceptRules(udpPorts: readonly number[]): AcceptRule[] {
  const forward = ['DOCKER-USER', 'FORWARD']
  return [
    { chains: forward, rule: `-i ${bridgePrefix}+ -j ACCEPT` },
    { chains: forward, rule: `-o ${bridgePrefix}+ -j ACCEPT` },
    { chains: ['INPUT'], rule: `-i ${bridgePrefix}+ -j ACCEPT` },
    ...udpPorts.map((port) => ({
      chains: ['INPUT'],
      rule: `-p udp -m udp --dport ${String(port)} -j ACCEPT`,
    })),
  ]
}

/** The rules that have to be written: first in their chain. `listed`: what `iptables -S` shows. */
export function missingRules(listed: string, wanted: readonly AcceptRule[]): string[][] {
  const lines = listed.split('\n')
  return wanted.flatMap(({ chains, rule }) => {
    const chain = chains.find((name) =>
      lines.some((line) => line === `-N ${name}` || line.startsWith(`-P ${name} `)),
    )
    if (chain === undefined || lines.includes(`-A ${chain} ${rule}`)) return []
    return [['-I', chain, ...rule.split(' ')]]
  })
}

/** Of firewalld's own table, which no other table's rules can overrule. */
const firewalldChains = ['filter_INPUT', 'filter_FORWARD']

export function firewalldRules(chain: string, udpPorts: readonly number[]): string[] {
  const insert = (match: string) => `insert rule inet firewalld ${chain} ${match} accept comment "${comment}"`
  return chain === 'filter_INPUT'
    ? [insert(`iifname "${bridgePrefix}*"`), insert(`udp dport { ${udpPorts.join(', ')} }`)]
    : [insert(`iifname "${bridgePrefix}*"`), insert(`oifname "${bridgePrefix}*"`)]
}

/** Says it to whatever of them is on this host, where it does not stand there yet. */
export async function passFirewalls(udpPorts: readonly number[]): Promise<void> {
  for (const program of ['iptables', 'ip6tables']) {
    const { stdout, exitCode } = await execResult(program, ['-w', '-S'])
    if (exitCode !== 0) continue
    for (const rule of missingRules(stdout, acceptRules(udpPorts))) await execResult(program, ['-w', ...rule])
  }
  for (const chain of firewalldChains) {
    const { stdout, exitCode } = await execResult('nft', ['list', 'chain', 'inet', 'firewalld', chain])
    if (exitCode !== 0 || stdout.includes(`comment "${comment}"`)) continue
    await execResult('nft', ['-f', '-'], { input: `${firewalldRules(chain, udpPorts).join('\n')}\n` })
  }
}

export async function forgetFirewalls(udpPorts: readonly number[]): Promise<void> {
  for (const program of ['iptables', 'ip6tables'])
    for (const { chains, rule } of acceptRules(udpPorts))
      for (const chain of chains) await execResult(program, ['-w', '-D', chain, ...rule.split(' ')])
  for (const chain of firewalldChains) {
    const list = await execResult('nft', ['--handle', 'list', 'chain', 'inet', 'firewalld', chain])
    for (const [, handle = ''] of list.stdout.matchAll(
      new RegExp(`comment "${comment}" # handle (\\d+)`, 'g'),
    ))
      await execResult('nft', ['delete', 'rule', 'inet', 'firewalld', chain, 'handle', handle])
  }
}
