import type { KernelDifference, NetworkExamination } from '#model/network-examination.ts'

const hostText = ({ network, what }: KernelDifference): string =>
  network === '' ? what : `network ${network}: ${what}`

/** What was found, for people; and whether all is as it should be. */
export function renderExamination(examination: NetworkExamination): {
  readonly text: string
  readonly isWell: boolean
} {
  const lines: string[] = []
  let isWell = true
  const nameOf = new Map(examination.hosts.map(({ nodeId, hostname }) => [nodeId, hostname]))
  lines.push('Hosts')
  for (const host of examination.hosts) {
    if (host.unreachable !== undefined) {
      isWell = false
      lines.push(`  ${host.hostname}: not examined, ${host.unreachable}`)
      continue
    }
    const { networks = 0, differences = [], remaining } = host
    const left = remaining ?? differences
    if (left.length > 0) isWell = false
    const count = `${String(networks)} ${networks === 1 ? 'network' : 'networks'}`
    lines.push(
      `  ${host.hostname}: ${count}, ${differences.length === 0 ? 'all as it should be' : `${String(differences.length)} not as it should be`}`,
    )
    for (const difference of differences) {
      const isLeft = left.some(
        ({ network, what }) => network === difference.network && what === difference.what,
      )
      const outcome = remaining === undefined ? '' : isLeft ? ' (not repaired)' : ' (repaired)'
      lines.push(`    ${hostText(difference)}${outcome}`)
    }
  }
  lines.push('', `Paths (UDP ${String(examination.port)})`)
  let tried = 0
  let whole = 0
  for (const host of examination.hosts) {
    if (host.problem !== undefined) {
      isWell = false
      lines.push(`  ${host.hostname}: its paths were not tried, ${host.problem}`)
    }
    for (const { to, isReached, isWhole, roundTripMs = 0 } of host.paths ?? []) {
      tried += 1
      const path = `  ${host.hostname} → ${nameOf.get(to) ?? to}:`
      const bytes = String(host.packetBytes ?? 0)
      if (isReached && isWhole) {
        whole += 1
        lines.push(`${path} ok, ${String(roundTripMs)} ms, ${bytes} bytes`)
      } else if (isReached)
        lines.push(
          `${path} only small packets come back; ${bytes} bytes do not: the MTU is smaller on the way. Networks can be made for it with --opt com.docker.network.driver.mtu`,
        )
      else
        lines.push(
          `${path} nothing comes back: is UDP ${String(examination.port)} open between them, and the other host up?`,
        )
    }
  }
  if (tried === 0) lines.push('  none: a cluster of one host has no paths')
  else lines.push(`  ${String(whole)} of ${String(tried)} are as they should be`)
  if (whole < tried) isWell = false
  return { text: `${lines.join('\n')}\n`, isWell }
}
