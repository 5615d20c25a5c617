import { h } from 'preact'
import type { ComponentChild } from 'preact'
import type { TaskRow } from '../../src/api/dashboard/wire.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { taskBadge } from '../parts/badge.ts'
import { taskName } from '../state/derive.ts'
import { agoText } from '../state/format.ts'
import { byLife } from '../views/tasks.ts'

const mostLines = 300

/** Tasks as lines, each of which opens. */
export function taskLines(tasks: TaskRow[]): ComponentChild {
  if (tasks.length === 0) return h('p', { class: 'empty' }, t('nothing'))
  const now = Date.now()
  return h(
    'ul',
    { class: 'plain task-lines' },
    tasks
      .sort(byLife)
      .slice(0, mostLines)
      .map((task) =>
        h(
          'li',
          { key: task.id },
          h(
            'button',
            {
              class: 'line',
              onClick: () => {
                app.open('task', task.id)
              },
            },
            h('span', { class: 'grow' }, taskName(task)),
            h('span', { class: 'muted' }, app.state.nodes.get(task.node)?.name ?? '–'),
            h('span', { class: 'muted' }, agoText(now - task.since)),
            taskBadge(task),
          ),
          task.error !== undefined && h('p', { class: 'bad-text small' }, task.error),
        ),
      ),
  )
}
