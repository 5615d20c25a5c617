import { MureError } from '#lib/errors.ts'

/** Docker's own sentences for what a node cannot do in its present part; scripts and people know them. */
const unavailable = (text: string) => new MureError('unavailable', text)

export const refusals = {
  noSwarm: () =>
    unavailable(
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    ),
  worker: () =>
    unavailable(
      "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.",
    ),
  locked: () =>
    unavailable(
      'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.',
    ),
  leaveLocked: () =>
    unavailable(
      'Swarm is encrypted and locked. Please unlock it first or use `--force` to ignore this message.',
    ),
  /** @param delay why, where it is known: the same in words of Mure's own */
  notReady: (delay = '') =>
    unavailable(
      `The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.${delay === '' ? '' : ` (${delay})`}`,
    ),
  exists: () =>
    unavailable(
      'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    ),
  joinGoesOn: () =>
    unavailable(
      'Timeout was reached before node joined. The attempt to join the swarm will continue in the background. Use the "docker info" command to see the current swarm status of your node.',
    ),
  notInSwarm: () => unavailable('This node is not part of a swarm'),
  notLocked: () => new MureError('precondition', 'swarm is not locked', { details: { status: 409 } }),
  invalidUnlockKey: () => new MureError('invalid', 'swarm could not be unlocked: invalid key provided'),
  leaveAsManager: (consequence: string) =>
    unavailable(
      `You are attempting to leave the swarm on a node that is participating as a manager. ${consequence}`,
    ),
} as const

/** What leaving would cost, as Docker words it. */
export function leaveConsequence(reachable: number, unreachable: number): string {
  if (reachable === 1 && unreachable === 0)
    return 'Removing the last manager erases all current state of the swarm. Use `--force` to ignore this message. '
  const losesQuorum = reachable - 2 <= unreachable
  const cost = losesQuorum
    ? `Removing this node leaves ${String(reachable - 1)} managers out of ${String(reachable + unreachable)}. Without a Raft quorum your swarm will be inaccessible. `
    : ''
  return `${cost}The only way to restore a swarm that has lost consensus is to reinitialize it with \`--force-new-cluster\`. Use \`--force\` to suppress this message.`
}
