/** The newest API version that this facade serves; an engine behind it that knows a newer one raises it. */
export const newestVersion = '1.44'
export const oldestVersion = '1.12'

/** Negative when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number)
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number)
  return aMajor - bMajor || aMinor - bMinor
}

export const newer = (a: string, b: string): string => (compareVersions(a, b) >= 0 ? a : b)

/** `/v1.41/info` as its version and the rest; no version means the newest. */
export function splitVersion(path: string): { version: string | undefined; rest: string } {
  const match = /^\/v(\d+\.\d+)(\/.*)$/.exec(path)
  return match?.[1] === undefined || match[2] === undefined
    ? { version: undefined, rest: path }
    : { version: match[1], rest: match[2] }
}

/** Docker's own sentence for a version that is not served, or undefined. */
export function versionRefusal(version: string, newest: string): string | undefined {
  if (compareVersions(version, newest) > 0)
    return `client version ${version} is too new. Maximum supported API version is ${newest}`
  if (compareVersions(version, oldestVersion) < 0)
    return `client version ${version} is too old. Minimum supported API version is ${oldestVersion}, please upgrade your client to a newer version`
  return undefined
}
