/** The newest API version that this facade speaks by itself; an engine behind it that knows a newer one raises it. */
export const newestVersion = '1.47'
/** Of an engine that does not say: Debian's 20.10. */
export const assumedEngineVersions = { newest: '1.41', oldest: '1.12' }

/** Negative when `a` is older than `b`. `1` is `1.0`. */
export function compareVersions(a: string, b: string): number {
  const [aParts, bParts] = [a.split('.').map(Number), b.split('.').map(Number)]
  for (let i = 0; i < Math.max(aParts.length, bParts.length); i++) {
    const difference = (aParts[i] ?? 0) - (bParts[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

export const isOlder = (a: string, b: string): boolean => compareVersions(a, b) < 0
export const newer = (a: string, b: string): string => (isOlder(a, b) ? b : a)

/** `/v1.41/info` as its version and the rest; no version means the newest. */
export function splitVersion(path: string): { version: string | undefined; rest: string } {
  const match = /^\/v([0-9.]+)(\/.*)$/.exec(path)
  return match?.[1] === undefined || match[2] === undefined
    ? { version: undefined, rest: path }
    : { version: match[1], rest: match[2] }
}

/** Where the engine sends a client, in the version that the client asked in. */
export const inVersionOf = (version: string, location: string): string =>
  location.replace(/^\/v[0-9.]+(?=\/)/, `/v${version}`)

/** Docker's own sentence for a version that is not served, or undefined. */
export function versionRefusal(version: string, newest: string, oldest: string): string | undefined {
  if (isOlder(version, oldest))
    return `client version ${version} is too old. Minimum supported API version is ${oldest}, please upgrade your client to a newer version`
  if (isOlder(newest, version))
    return `client version ${version} is too new. Maximum supported API version is ${newest}`
  return undefined
}

/** Engines of 1.42 and later say "invalid JSON" before what their parser says; older ones the latter alone. */
export const inWordsOf = (version: string, message: string): string =>
  isOlder(version, '1.42') ? message.replace(/^invalid JSON: /, '') : message

/** An error as its client reads it: JSON came with API version 1.24. */
export const errorAnswer = (
  status: number,
  message: string,
  version: string | undefined,
): { status: number; json: object } | { status: number; text: string } =>
  version !== undefined && isOlder(version, '1.24')
    ? { status, text: `${message}\n` }
    : { status, json: { message } }
