import { useEffect, useRef, useState } from 'preact/hooks'
import type { IngressAnswer } from '../../src/api/dashboard/wire.ts'
import { call } from '../api.ts'

/** In a swarm where something changes all the time it is not asked more often. */
const pauseMs = 1_000

/** The HTTP ingress as of the last change of anything; undefined before the first answer. */
export function useIngress(stamp: unknown): IngressAnswer | undefined {
  const [answer, setAnswer] = useState<IngressAnswer>()
  const askedAt = useRef(0)
  const isGone = useRef(false)
  useEffect(() => {
    isGone.current = false
    return () => {
      isGone.current = true
    }
  }, [])
  useEffect(() => {
    const timer = setTimeout(
      () => {
        askedAt.current = Date.now()
        call<IngressAnswer>('GET', '/api/ingress').then(
          (found) => {
            if (!isGone.current) setAnswer(found)
          },
          () => undefined,
        )
      },
      Math.max(0, askedAt.current + pauseMs - Date.now()),
    )
    return () => {
      clearTimeout(timer)
    }
  }, [stamp])
  return answer
}
