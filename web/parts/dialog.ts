import { h } from 'preact'
import type { ComponentChild, ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { Question } from '../app.ts'
import { t } from '../i18n/index.ts'

/** A modal dialog of the browser's own: it keeps the focus, and Escape closes it. */
export function Modal(props: {
  title: string
  onClose: () => void
  children?: ComponentChildren
}): ComponentChild {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return h(
    'dialog',
    {
      ref: dialog,
      'aria-labelledby': 'dialog-title',
      onClose: props.onClose,
      onClick: (event: MouseEvent) => {
        if (event.target === dialog.current) dialog.current?.close()
      },
    },
    h('div', { class: 'dialog' }, h('h2', { id: 'dialog-title' }, props.title), props.children),
  )
}

/** Asks before it acts, and says what the manager says. */
export function Ask({ question }: { question: Question }): ComponentChild {
  const [value, setValue] = useState(question.field?.value ?? '')
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const close = () => {
    app.question = undefined
    app.changed()
  }
  const run = async () => {
    setBusy(true)
    setProblem('')
    try {
      await question.run(value)
      close()
      app.say(t('done'))
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    } finally {
      setBusy(false)
    }
  }
  const onSubmit = (event: Event) => {
    event.preventDefault()
    run().catch(() => undefined)
  }
  const { field } = question
  return h(
    Modal,
    { title: question.title, onClose: close },
    h(
      'form',
      { onSubmit },
      h('p', null, question.text),
      field !== undefined &&
        h(
          'label',
          { class: 'field' },
          field.label,
          h('input', {
            type: field.type,
            value,
            min: 0,
            autofocus: true,
            required: true,
            onInput: (event: Event) => {
              setValue((event.currentTarget as HTMLInputElement).value)
            },
          }),
        ),
      problem !== '' && h('p', { class: 'problem', role: 'alert' }, problem),
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'button', class: 'quiet', onClick: close }, t('cancel')),
        h(
          'button',
          { type: 'submit', class: question.isDangerous === true ? 'danger' : 'primary', disabled: isBusy },
          question.action,
        ),
      ),
    ),
  )
}
