import { errorText } from './errors.ts'

/** debug = decisions, info = what an operator did or would ask about, warn = will heal, error = needs a person. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>

/** Constant messages; everything that varies is a field. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  child(fields: LogFields): Logger
}

const rank: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** One JSON object a line. `write` gets whole lines. */
export function jsonLogger(
  write: (line: string) => void,
  options: { level?: LogLevel; now?: () => number; fields?: LogFields } = {},
): Logger {
  const threshold = rank[options.level ?? 'info']
  const now = options.now ?? Date.now
  const log = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (rank[level] < threshold) return
    const record = { time: new Date(now()).toISOString(), level, message, ...options.fields, ...fields }
    write(`${JSON.stringify(record, errorsAsText)}\n`)
  }
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: (fields) => jsonLogger(write, { ...options, fields: { ...options.fields, ...fields } }),
  }
}

function errorsAsText(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  return value.cause === undefined ? value.message : `${value.message} (${errorText(value.cause)})`
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}
