import type { AcmeChallenge } from '#model/ingress/configuration.ts'
import { keyOf } from '#model/ingress/routes.ts'
import type { IngressRoute } from '#model/ingress/routes.ts'

/** Which backend a host and the beginning of a path lead to; the longest that fits is taken. */
export const renderRoutesMap = (routes: readonly IngressRoute[]): string =>
  lines(routes.flatMap(({ id, matches }) => matches.map((match) => `${keyOf(match)} ${id}`)))

const safe = /^[A-Za-z0-9_.-]+$/

export const acmePath = '/.well-known/acme-challenge/'

export const renderChallengesMap = (challenges: readonly AcmeChallenge[]): string =>
  lines(
    challenges
      .filter(({ token, answer }) => safe.test(token) && safe.test(answer))
      .map(({ token, answer }) => `${acmePath}${token} ${answer}`),
  )

/** An empty file is a map too. */
const lines = (list: readonly string[]): string =>
  [...list]
    .sort()
    .map((line) => `${line}\n`)
    .join('')
