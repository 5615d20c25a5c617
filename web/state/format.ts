/** 1.5 GiB, 512 MiB: three digits are enough to compare. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = value >= 100 || unit === 0 ? 0 : value >= 10 ? 1 : 2
  return `${String(Number(value.toFixed(digits)))} ${units[unit] ?? ''}`
}

/** 12 s, 5 min, 3 h, 8 d. */
export function agoText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 60) return `${String(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${String(minutes)} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${String(hours)} h` : `${String(Math.round(hours / 24))} d`
}

export const timeText = (at: number): string => new Date(at).toLocaleTimeString([], { hour12: false })

/** `8080→80/tcp`, as docker lists them. */
export const portsText = (
  ports: readonly { published: number; target: number; protocol: string }[] | undefined,
): string =>
  (ports ?? [])
    .map(({ published, target, protocol }) =>
      published === 0
        ? `${String(target)}/${protocol}`
        : `${String(published)}→${String(target)}${protocol === 'tcp' ? '' : `/${protocol}`}`,
    )
    .join(', ')
