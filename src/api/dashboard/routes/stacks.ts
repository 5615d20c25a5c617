import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MureError } from '#lib/errors.ts'
import { execResult } from '#lib/exec.ts'
import type { ExecResult } from '#lib/exec.ts'
import type { ApiRequest } from '../../http/request.ts'
import { done, ok } from '../../http/response.ts'
import { composeRefusal } from '../compose-refusal.ts'
import { everyProblem } from '../convert/every-problem.ts'
import type { StackPreview } from '../wire.ts'
import type { RouteTable } from './route-table.ts'
import { bodyOf, textIn } from './support.ts'

const timeoutMs = 120_000
const mostComposeBytes = 1024 * 1024
const main = join(import.meta.dirname, '..', '..', '..', 'cli', 'main.ts')
const nothing = { objects: [], tasks: [], staying: 0 } as const

/**
 * Compose files, by the real docker CLI on this host: what it makes of a file is what a person at a terminal would get.
 * The preview is `mure plan deploy`: the same, against a copy of the cluster.
 */
export function registerStackRoutes(routes: RouteTable, dockerSocket: string): void {
  const host = `unix://${dockerSocket}`

  const docker = (args: readonly string[], signal: AbortSignal): Promise<ExecResult> =>
    execResult('docker', args, { timeoutMs, signal, env: { ...process.env, DOCKER_HOST: host } })

  routes.add('POST', '/api/stacks/preview', 'admin', async (request) => {
    const wish = await wishOf(request)
    const problems = await check(wish.compose, request.signal)
    if (problems.length > 0) return ok({ problems, ...nothing } satisfies StackPreview)
    const plan = await planOf(wish, request.signal)
    if (plan.exitCode !== 0) {
      // The cluster has not what the file names: that shows only now.
      const missing = await everyProblem(wish.compose, async (compose) => {
        const { exitCode, stderr } =
          compose === wish.compose ? plan : await planOf({ ...wish, compose }, request.signal)
        return exitCode === 0 ? undefined : stderr
      })
      return ok({ problems: missing, ...nothing } satisfies StackPreview)
    }
    const { objects, tasks, staying } = JSON.parse(plan.stdout) as Omit<StackPreview, 'problems'>
    return ok({ problems: [], objects, tasks, staying } satisfies StackPreview)
  })

  routes.add('POST', '/api/stacks', 'admin', async (request) => {
    const wish = await wishOf(request)
    await using file = await composeFile(wish.compose)
    const args = [
      'stack',
      'deploy',
      '--compose-file',
      file.path,
      ...(wish.prune ? ['--prune'] : []),
      wish.name,
    ]
    const { exitCode, stderr } = await docker(args, request.signal)
    if (exitCode !== 0) throw new MureError('invalid', withoutPath(stderr, file.path).trim())
    return done(204)
  })

  routes.add('DELETE', '/api/stacks/{name}', 'admin', async ({ params, signal }) => {
    const name = stackName(params['name'] ?? '')
    const { exitCode, stderr } = await docker(['stack', 'rm', name], signal)
    if (exitCode !== 0) throw new MureError('invalid', stderr.trim())
    return done(204)
  })

  const planOf = async (wish: Wish, signal: AbortSignal): Promise<ExecResult> => {
    await using file = await composeFile(wish.compose)
    const args = ['plan', 'deploy', '--format', 'json', '--host', host, '--compose-file', file.path]
    const plan = await execResult(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, ...args, ...(wish.prune ? ['--prune'] : []), wish.name],
      { timeoutMs, signal },
    )
    return { ...plan, stderr: withoutPath(plan.stderr, file.path).trim() }
  }

  const check = (compose: string, signal: AbortSignal) =>
    everyProblem(compose, (input) => composeRefusal({ input, signal, timeoutMs }))
}

interface Wish {
  readonly name: string
  readonly compose: string
  readonly prune: boolean
}

async function wishOf(request: ApiRequest): Promise<Wish> {
  const body = await bodyOf(request)
  const compose = textIn(body, 'compose')
  if (compose.length > mostComposeBytes)
    throw new MureError('invalid', 'the compose file is larger than 1 MiB')
  return { name: stackName(textIn(body, 'name')), compose, prune: body['prune'] === true }
}

function stackName(name: string): string {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name))
    throw new MureError('invalid', `"${name}" is no name of a stack: lower case letters, digits, - and _`)
  return name
}

async function composeFile(text: string): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'mure-stack-'))
  const path = join(folder, 'compose.yml')
  await writeFile(path, text, { mode: 0o600 })
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

/** The file is only ours: what people know is the text that they gave. */
const withoutPath = (text: string, path: string): string =>
  text.replaceAll(`${path}: `, '').replaceAll(path, 'compose.yml')
