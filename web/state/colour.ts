/** Golden angle: of any few hues in a row, none are near one another. */
const angle = 137.508
const first = 265

/** The hue of the service that came as the n-th. */
export const hueAt = (place: number): number => Math.round(first + place * angle) % 360
