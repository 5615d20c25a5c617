import { spawn } from 'node:child_process'
import { MureError, systemCode } from './errors.ts'

export interface ExecOptions {
  input?: string | Buffer
  /** Default 30 s: a tool of the system that takes longer is stuck. */
  timeoutMs?: number
  signal?: AbortSignal
  env?: NodeJS.ProcessEnv
  cwd?: string
}

export interface ExecResult {
  stdout: string
  stderr: string
  exitCode: number
}

/** Runs a program (never a shell) and gives its output whatever its exit code. Throws when it cannot be run or hangs. */
export function execResult(
  file: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 30_000,
      killSignal: 'SIGKILL',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', (error) => {
      const missing = systemCode(error) === 'ENOENT'
      reject(
        new MureError('unavailable', missing ? `${file} is not installed` : `${file}: ${error.message}`, {
          cause: error,
        }),
      )
    })
    child.on('close', (code, signal) => {
      if (code === null) {
        reject(new MureError('timeout', `${file} ${args.join(' ')} was ended by ${signal ?? 'a signal'}`))
        return
      }
      resolve({
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        exitCode: code,
      })
    })
    // A program that exits without reading its input breaks the pipe; its exit code tells the rest.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input)
  })
}

/** As `execResult`, but an exit code other than 0 is an error that carries what the program said. */
export async function exec(
  file: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  const result = await execResult(file, args, options)
  if (result.exitCode === 0) return result.stdout
  const said = (result.stderr.trim() || result.stdout.trim()).slice(0, 2000)
  throw new MureError('internal', `${file} ${args.join(' ')} failed (${String(result.exitCode)}): ${said}`, {
    details: { exitCode: result.exitCode },
  })
}
