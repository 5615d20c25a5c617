import { connect } from 'node:net'
import { errorText, MureError } from '#lib/errors.ts'

const answerTimeoutMs = 2_000
const maxAnswerBytes = 4 * 1024 * 1024

/** What HAProxy says to these commands on its runtime socket, which it closes after them. */
export function askHaproxy(
  socket: string,
  commands: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const connection = connect({ path: socket, ...(signal === undefined ? {} : { signal }) })
  connection.setTimeout(answerTimeoutMs, () => {
    connection.destroy(new Error(`no answer within ${String(answerTimeoutMs / 1000)} s`))
  })
  let answer = ''
  connection.setEncoding('utf8')
  connection.on('data', (text: string) => {
    answer += text
    if (answer.length > maxAnswerBytes) connection.destroy(new Error('an endless answer'))
  })
  connection.once('end', () => {
    resolve(answer)
  })
  connection.once('error', (error) => {
    reject(new MureError('unavailable', `HAProxy's runtime socket: ${errorText(error)}`, { cause: error }))
  })
  connection.end(`${commands.join(';')}\n`)
  return promise
}
