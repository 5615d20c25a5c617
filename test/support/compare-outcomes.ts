/** What differs by its nature: identities, times, addresses, secrets. */
const replacements: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g, '<certificate>'],
  [/SWMTKN-1-\w+-\w+/g, '<token>'],
  [/SWMKEY-1-[\w+/]+/g, '<unlock key>'],
  [/sha256:[0-9a-f]{64}/g, '<digest>'],
  [/\b[0-9a-f]{64}\b/g, '<container>'],
  [/\b(?=[a-z]*\d)[0-9a-z]{25}\b/g, '<id>'],
  [/\b(?=[a-z]*\d)[0-9a-z]{12}\b|^[0-9a-z]{12}(?= |$)/gm, '<id>'],
  [/Issuer (?:Subject|Public Key):\s+\S+/g, '<issuer>'],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| ?[+-]\d\d:?\d\d(?: UTC)?)?/g, '<time>'],
  [/\b(?:less than a second|about a minute|about an hour|\d+ (?:second|minute)s?) ago\b/gi, '<time>'],
  [/\b(?:192\.168|10|172)(?:\.\d{1,3}){2,3}(?:\/\d+)?\b/g, '<address>'],
  [/\b(?:manager|worker)01\b/g, '<host>'],
  [/\/proc\/\d+\/root/g, ''],
]

function normalText(text: string): string {
  let normal = text
  for (const [pattern, name] of replacements) normal = normal.replace(pattern, name)
  // The width of a column follows from what is in it.
  return normal.replace(/[ \t]{2,}/g, '  ').replace(/ +$/gm, '')
}

const unequalByNature = new Set([
  'Index',
  'PID',
  'timeNano',
  'time',
  'CertIssuerSubject',
  'com.docker.network.driver.overlay.vxlanid_list',
  'CertIssuerPublicKey',
])

/** A value as it is on any host. */
export function normalised(value: unknown): unknown {
  if (typeof value === 'string') return normalText(value)
  if (Array.isArray(value)) return value.map(normalised)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      normalText(name),
      unequalByNature.has(name) ? `<${typeof member}>` : normalised(member),
    ]),
  )
}

/** One line for each place where two values differ. */
export function differences(docker: unknown, mure: unknown, path = ''): string[] {
  if (isRecord(docker) && isRecord(mure)) {
    const names = [...new Set([...Object.keys(docker), ...Object.keys(mure)])]
    return names.flatMap((name) =>
      differences(docker[name], mure[name], path === '' ? name : `${path}.${name}`),
    )
  }
  if (Array.isArray(docker) && Array.isArray(mure) && docker.length === mure.length)
    return docker.flatMap((item, index) => differences(item, mure[index], `${path}[${String(index)}]`))
  const [ours, theirs] = [JSON.stringify(mure), JSON.stringify(docker)]
  return ours === theirs ? [] : [`${path}: Docker says ${theirs ?? 'nothing'}, Mure ${ours ?? 'nothing'}`]
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
