import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ExplainAnswer } from '../../src/api/dashboard/wire.ts'
import { call } from '../api.ts'
import { t } from '../i18n/index.ts'

/** With hundreds of nodes the first ones say it all. */
const mostNodes = 30

interface WhyProps {
  readonly id: string
  readonly reason: string
  readonly isWaiting: boolean
}

/** Why a task does not run; while it waits for a place, what each node says to it. */
export function Why({ id, reason, isWaiting }: WhyProps): ComponentChild {
  const [answer, setAnswer] = useState<ExplainAnswer>()
  useEffect(() => {
    let isOver = false
    setAnswer(undefined)
    if (isWaiting)
      call<ExplainAnswer>('GET', `/api/explain/${id}`).then(
        (found) => {
          if (!isOver) setAnswer(found)
        },
        () => undefined,
      )
    return () => {
      isOver = true
    }
  }, [id, reason, isWaiting])
  return h(
    'div',
    { class: 'why', role: 'note' },
    h('b', null, t('whyPending')),
    h('p', null, reason),
    answer?.notes.map((note) => h('p', { key: note }, note)),
    answer !== undefined &&
      answer.nodes.length > 0 &&
      h(
        'dl',
        { class: 'answers' },
        answer.nodes
          .slice(0, mostNodes)
          .map(({ name, refusedBy, why }) => [
            h('dt', { key: `t${name}` }, name),
            h(
              'dd',
              { key: `d${name}` },
              h(
                'span',
                { class: refusedBy === undefined ? 'good-text' : 'bad-text' },
                refusedBy === undefined ? t('couldTake') : t('noPlace'),
              ),
              ` · ${why}`,
            ),
          ]),
      ),
  )
}
