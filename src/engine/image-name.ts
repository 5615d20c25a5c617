/** `name` and tag or digest as the engine's pull wants them; no tag means latest. */
export function splitImage(image: string): { name: string; tag: string } {
  const digest = image.indexOf('@')
  if (digest >= 0)
    return { name: image.slice(0, digest).replace(/:[^:/]+$/, ''), tag: image.slice(digest + 1) }
  const colon = image.lastIndexOf(':')
  if (colon > image.lastIndexOf('/')) return { name: image.slice(0, colon), tag: image.slice(colon + 1) }
  return { name: image, tag: 'latest' }
}
