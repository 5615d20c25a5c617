/** `name` and tag or digest as the engine's pull wants them; no tag means latest. */
export function splitImage(image: string): { name: string; tag: string } {
  const digest = image.indexOf('@')
  if (digest >= 0)
    return { name: image.slice(0, digest).replace(/:[^:/]+$/, ''), tag: image.slice(digest + 1) }
  const colon = image.lastIndexOf(':')
  if (colon > image.lastIndexOf('/')) return { name: image.slice(0, colon), tag: image.slice(colon + 1) }
  return { name: image, tag: 'latest' }
}

/** Where an image is had from: its first part if that can be a host, else the engine's own default. */
export function registryOf(image: string): string {
  const [first = ''] = image.split('/')
  return image.includes('/') && (/[.:]/.test(first) || first === 'localhost') ? first : ''
}
