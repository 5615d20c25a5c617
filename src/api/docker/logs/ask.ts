import { MureError } from '#lib/errors.ts'
import { isTrue } from '../routes/support.ts'
import type { LogFormat } from './log-line.ts'
import type { LogWish } from './task-log.ts'

/** What a client wants of logs. Refusals have Docker's words. */
export function askedOf(query: URLSearchParams): { format: Omit<LogFormat, 'raw'>; wish: LogWish } {
  const format = {
    stdout: isTrue(query.get('stdout')),
    stderr: isTrue(query.get('stderr')),
    timestamps: isTrue(query.get('timestamps')),
    details: isTrue(query.get('details')),
  }
  if (!format.stdout && !format.stderr)
    throw new MureError('invalid', 'Bad parameters: you must choose at least one stream')
  const wish = {
    follow: isTrue(query.get('follow')),
    since: timestampOf(query, 'since'),
    until: timestampOf(query, 'until'),
    tail: tailOf(query.get('tail') ?? ''),
  }
  return { format, wish }
}

function tailOf(text: string): string {
  if (text === '' || text === 'all') return 'all'
  if (/^-\d+$/.test(text)) throw new MureError('invalid', 'negative tail values not supported')
  if (!/^\+?\d+$/.test(text)) throw new MureError('invalid', 'tail value must be a positive integer or "all"')
  return text
}

/** Seconds of the epoch, with decimals. */
function timestampOf(query: URLSearchParams, name: string): string {
  const text = query.get(name) ?? ''
  if (text === '' || /^-?\d+(\.\d{1,9})?$/.test(text)) return text
  const part = text.split('.').find((digits) => !/^-?\d+$/.test(digits)) ?? text
  throw new MureError(
    'invalid',
    `could not parse ${name} timestamp: strconv.ParseInt: parsing "${part}": invalid syntax`,
  )
}
