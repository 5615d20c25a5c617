/**
 * The layers of an image that need not be sent: an engine knows a layer together with all that lie below it, so
 * they are the longest beginning of the image that some image of `own` has too. A layer that also lies further up
 * (an empty one does, often) is sent.
 */
export function omittableLayers(
  layers: readonly string[],
  own: Iterable<readonly string[]>,
): readonly string[] {
  let shared = 0
  for (const other of own) {
    let length = 0
    while (length < layers.length && layers[length] === other[length]) length += 1
    shared = Math.max(shared, length)
  }
  const above = new Set(layers.slice(shared))
  return layers.slice(0, shared).filter((layer) => !above.has(layer))
}
