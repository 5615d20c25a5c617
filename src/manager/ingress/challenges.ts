import type { AcmeChallenge } from '#model/ingress/configuration.ts'
import type { View } from '#store/mirror/view.ts'

/** Configs with this label hold an answer to an authority's question: they are there only while it asks. */
export const acmeChallengeLabel = 'mure.ingress.acme.challenge'

export function challengesOf(view: View): AcmeChallenge[] {
  const challenges: AcmeChallenge[] = []
  for (const { spec } of view.list('config')) {
    const token = spec.labels[acmeChallengeLabel]
    if (token !== undefined) challenges.push({ token, answer: Buffer.from(spec.data, 'base64').toString() })
  }
  return challenges.sort((a, b) => (a.token < b.token ? -1 : 1))
}
