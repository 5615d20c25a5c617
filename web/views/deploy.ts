import { h } from 'preact'
import type { ComponentChild } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { StackPreview } from '../../src/api/dashboard/wire.ts'
import { call } from '../api.ts'
import { app } from '../app.ts'
import { t } from '../i18n/index.ts'
import { badge } from '../parts/badge.ts'
import type { Tone } from '../state/derive.ts'

const tones: Readonly<Record<string, Tone>> = {
  'is created': 'good',
  starts: 'good',
  changes: 'busy',
  restarts: 'busy',
  moves: 'busy',
  waits: 'bad',
  'is removed': 'bad',
  stops: 'idle',
}
const mostTasks = 200

/** A compose file: what is wrong with it, what it would change, and only then is it deployed. */
export function Deploy({ name: given, onClose }: { name: string; onClose: () => void }): ComponentChild {
  const [name, setName] = useState(given)
  const [compose, setCompose] = useState('')
  const [prune, setPrune] = useState(false)
  const [preview, setPreview] = useState<StackPreview>()
  const [isBusy, setBusy] = useState(false)
  const area = useRef<HTMLTextAreaElement>(null)
  const wish = { name, compose, prune }
  const attempt = (work: () => Promise<void>) => {
    setBusy(true)
    work()
      .catch((error: unknown) => {
        app.say(error instanceof Error ? error.message : String(error), true)
      })
      .finally(() => {
        setBusy(false)
      })
  }
  const look = () => {
    attempt(async () => {
      setPreview(await call<StackPreview>('POST', '/api/stacks/preview', wish))
    })
  }
  const deploy = () => {
    attempt(async () => {
      await call('POST', '/api/stacks', wish)
      app.say(t('done'))
      onClose()
    })
  }
  const changed = () => {
    setPreview(undefined)
  }
  const showLine = (line: number) => {
    const lines = compose.split('\n')
    const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0)
    area.current?.focus()
    area.current?.setSelectionRange(start, start + (lines[line - 1] ?? '').length)
  }
  const onFile = async (event: Event) => {
    const file = (event.currentTarget as HTMLInputElement).files?.[0]
    if (file === undefined) return
    setCompose(await file.text())
    changed()
  }
  return h(
    'form',
    {
      class: 'deploy',
      onSubmit: (event: Event) => {
        event.preventDefault()
        look()
      },
    },
    h(
      'div',
      { class: 'deploy-head' },
      h(
        'label',
        { class: 'field' },
        t('stackName'),
        h('input', {
          value: name,
          required: true,
          pattern: '[a-z0-9][a-z0-9_\\-]*',
          autofocus: given === '',
          onInput: (event: Event) => {
            setName((event.currentTarget as HTMLInputElement).value)
            changed()
          },
        }),
      ),
      h('input', {
        type: 'file',
        accept: '.yml,.yaml',
        'aria-label': t('composeText'),
        onChange: (event: Event) => {
          onFile(event).catch(() => undefined)
        },
      }),
    ),
    h(
      'label',
      { class: 'field' },
      t('composeText'),
      h('textarea', {
        ref: area,
        rows: 16,
        spellcheck: false,
        required: true,
        value: compose,
        onInput: (event: Event) => {
          setCompose((event.currentTarget as HTMLTextAreaElement).value)
          changed()
        },
      }),
    ),
    h(
      'label',
      { class: 'check' },
      h('input', {
        type: 'checkbox',
        checked: prune,
        onChange: (event: Event) => {
          setPrune((event.currentTarget as HTMLInputElement).checked)
          changed()
        },
      }),
      t('prune'),
    ),
    preview !== undefined && h(Preview, { preview, onLine: showLine }),
    h(
      'div',
      { class: 'buttons' },
      h('button', { type: 'button', class: 'quiet', onClick: onClose }, t('cancel')),
      h('button', { type: 'submit', class: 'secondary', disabled: isBusy }, t('preview')),
      h(
        'button',
        {
          type: 'button',
          class: 'primary',
          disabled: isBusy || preview === undefined || preview.problems.length > 0,
          onClick: deploy,
        },
        t('deployNow'),
      ),
    ),
  )
}

function Preview(props: { preview: StackPreview; onLine: (line: number) => void }): ComponentChild {
  const { problems, objects, tasks, staying } = props.preview
  if (problems.length > 0)
    return h(
      'ul',
      { class: 'plain problems', role: 'alert' },
      problems.map(({ message, line }) =>
        h(
          'li',
          { key: message },
          line !== undefined &&
            h(
              'button',
              {
                type: 'button',
                class: 'link',
                onClick: () => {
                  props.onLine(line)
                },
              },
              `${t('line')} ${String(line)}`,
            ),
          h('span', { class: 'bad-text' }, message),
        ),
      ),
    )
  return h(
    'section',
    { class: 'preview', role: 'status' },
    h('h3', null, t('previewText')),
    objects.length + tasks.length === 0 && h('p', { class: 'muted' }, t('noChanges')),
    h(
      'ul',
      { class: 'plain' },
      objects.map(({ kind, name, what }) =>
        h(
          'li',
          { key: `${kind}${name}` },
          badge(tones[what] ?? 'idle', what),
          h('span', null, kind),
          h('b', null, name),
        ),
      ),
      tasks
        .slice(0, mostTasks)
        .map(({ task, what, from, to, why }) =>
          h(
            'li',
            { key: `${task}${what}${to}` },
            badge(tones[what] ?? 'idle', what),
            h('b', null, task),
            h('span', { class: 'muted' }, [from, to].filter((node) => node !== '').join(' → ')),
            what === 'waits' && h('span', { class: 'bad-text' }, why),
          ),
        ),
    ),
    staying > 0 && h('p', { class: 'muted' }, `${t('willKeep')}: ${String(staying)}`),
  )
}
