import { execResult } from '#lib/exec.ts'

/**
 * While a cable is out, the kernel asks once a second who has the address of another host, and holds back what is for it
 * until the answer to the next. Forgotten when the cable is back, it is asked for at once.
 */
export async function forgetUnanswered(): Promise<void> {
  await execResult('ip', ['neigh', 'flush', 'nud', 'incomplete'])
}
