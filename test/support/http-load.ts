import { existsSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'

// Run inside a host: `node http-load.ts URL HOST FILE CONNECTIONS`. Asks without a pause by kept connections until there
// is a file FILE.over, and prints how many answers of which status there were, and which requests failed otherwise.
// FILE.begun is there after the first answer.

const [url = '', host = '', file = '', connections = '4'] = process.argv.slice(2)
const longestMs = 90_000
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) })
const outcomes: Record<string, number> = {}
const until = performance.now() + longestMs
let slowestMs = 0

const ask = (): Promise<string> =>
  new Promise((resolve) => {
    const call = request(url, { agent, headers: { host }, timeout: 30_000 }, (answer) => {
      answer.resume()
      answer.once('end', () => {
        resolve(String(answer.statusCode))
      })
      answer.once('error', (error) => {
        resolve(error.message)
      })
    })
    call.once('timeout', () => call.destroy(new Error('no answer in 30 s')))
    call.once('error', (error: Error & { code?: string }) => {
      // The server closed a kept connection while the request was on its way: clients send it again.
      resolve(call.reusedSocket && error.code === 'ECONNRESET' ? 'again' : error.message)
    })
    call.end()
  })

async function askOnAndOn(): Promise<void> {
  while (!existsSync(`${file}.over`)) {
    if (performance.now() > until) throw new Error('nobody said that it is over')
    const started = performance.now()
    const outcome = await ask()
    slowestMs = Math.max(slowestMs, performance.now() - started)
    if (Object.keys(outcomes).length === 0) writeFileSync(`${file}.begun`, '')
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
}

await Promise.all(Array.from({ length: Number(connections) }, askOnAndOn))
agent.destroy()
process.stdout.write(JSON.stringify({ outcomes, slowestMs: Math.round(slowestMs) }))
