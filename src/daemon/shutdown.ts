import { execResult } from '#lib/exec.ts'

const timeoutMs = 500

/** Whether the machine goes down, and not this daemon alone. Where there is no systemd to ask: no. */
export async function isShuttingDown(): Promise<boolean> {
  try {
    const { stdout } = await execResult('systemctl', ['is-system-running'], { timeoutMs })
    return stdout.trim() === 'stopping'
  } catch {
    return false
  }
}
