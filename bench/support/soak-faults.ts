import type { TestCluster } from '../../test/support/cluster.ts'

/** Does something bad to a host; what it gives puts that right. */
type Fault = (cluster: TestCluster, host: string) => Promise<() => Promise<void>>

const healsItself = () => Promise.resolve()

/** Processes that are not there (no etcd on a worker) are no matter. */
const signal = (cluster: TestCluster, host: string, name: string, find: string): Promise<string> =>
  cluster.run(host, 'sh', '-c', `kill -${name} $(${find}) 2>/dev/null || true`)

const mured = `pgrep -f '[c]li/main.ts daemon'`
const kill =
  (find: string): Fault =>
  async (cluster, host) => {
    await signal(cluster, host, 'KILL', find)
    return healsItself
  }

export const faults: Readonly<Record<string, Fault>> = {
  'power cut': async (cluster, host) => {
    await cluster.powerOff(host)
    return () => cluster.start(host)
  },
  'cable pulled': async (cluster, host) => {
    await cluster.cable(host, false)
    return () => cluster.cable(host, true)
  },
  'mured stands still': async (cluster, host) => {
    await signal(cluster, host, 'STOP', mured)
    return async () => {
      await signal(cluster, host, 'CONT', mured)
    }
  },
  'mured killed': kill(mured),
  'etcd killed': kill(`pgrep -f '[e]tcd --name'`),
  'engine killed': kill('pgrep -x dockerd'),
}
