import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Transform } from 'node:stream'
import { isMureError, MureError } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { EtcdClient } from './client.ts'
import type { Member, StatusResponse } from './messages.ts'

/** A member of the store. */
export interface StoreMember {
  /** Decimal, as etcd's client protocol has it. */
  readonly id: string
  /** '' until it has started for the first time. */
  readonly name: string
  readonly peerUrl: string
  readonly learner: boolean
}

/** What can be done with the membership of the store, through any of its members. */
export class StoreMembers {
  readonly #client: EtcdClient

  constructor(client: EtcdClient) {
    this.#client = client
  }

  async list(wait: Wait): Promise<StoreMember[]> {
    const { members } = await this.#client.call<{ members: Member[] }>('Cluster', 'MemberList', {}, wait)
    return members.map(toMember)
  }

  async status(wait: Wait): Promise<{
    memberId: string
    leaderId: string
    learner: boolean
    dbBytes: number
    errors: readonly string[]
  }> {
    const status = await this.#client.call<StatusResponse>('Maintenance', 'Status', {}, wait)
    return {
      memberId: status.header.member_id,
      leaderId: status.leader,
      learner: status.isLearner,
      dbBytes: Number(status.dbSize),
      errors: status.errors,
    }
  }

  /** Adds a member that may not vote yet. etcd takes one at a time: a second waits for the first to become a voter. */
  async addLearner(peerUrl: string, wait: Wait): Promise<{ id: string; members: StoreMember[] }> {
    for (;;) {
      try {
        const answer = await this.#client.call<{ member: Member; members: Member[] }>(
          'Cluster',
          'MemberAdd',
          { peerURLs: [peerUrl], isLearner: true },
          wait,
        )
        return { id: answer.member.ID, members: answer.members.map(toMember) }
      } catch (error) {
        // Another learner is catching up, or the membership is changing: its turn comes.
        if (
          !(error instanceof MureError) ||
          !/too many learner|unhealthy cluster|re-configuration/.test(etcdText(error))
        )
          throw error
        wait.note('another manager to finish joining')
        await sleep(200, wait.signal)
      }
    }
  }

  /** Makes a learner a voter as soon as it has what the leader has. */
  async promoteWhenCaughtUp(id: string, wait: Wait): Promise<void> {
    for (;;) {
      try {
        await this.#client.call('Cluster', 'MemberPromote', { ID: id }, wait)
        return
      } catch (error) {
        if (!(error instanceof MureError)) throw error
        if (/not a learner/.test(etcdText(error))) return
        const catchingUp = /sync with leader|in sync|unhealthy|timed out/.test(etcdText(error))
        if (!catchingUp && error.code !== 'unavailable') throw error
        wait.note(`the new manager's store to catch up`)
        await sleep(100, wait.signal)
      }
    }
  }

  /** Removing what is not there is done already. */
  async remove(id: string, wait: Wait): Promise<void> {
    try {
      await this.#client.call('Cluster', 'MemberRemove', { ID: id }, wait)
    } catch (error) {
      if (!isMureError(error, 'not-found')) throw error
    }
  }

  async updatePeerUrl(id: string, peerUrl: string, wait: Wait): Promise<void> {
    await this.#client.call('Cluster', 'MemberUpdate', { ID: id, peerURLs: [peerUrl] }, wait)
  }

  /** If this member leads the consensus, hands that to another voter, so that removing it costs no election. */
  async handOver(memberId: string, wait: Wait): Promise<void> {
    const status = await this.status(wait)
    if (status.leaderId !== memberId || status.memberId !== memberId) return
    const other = (await this.list(wait)).find((member) => !member.learner && member.id !== memberId)
    if (other !== undefined)
      await this.#client.call('Maintenance', 'MoveLeader', { targetID: other.id }, wait)
  }

  /** A consistent copy of the whole store, as `etcdctl snapshot restore` takes it. */
  async snapshot(file: string): Promise<void> {
    const blobs = new Transform({
      writableObjectMode: true,
      transform: (message: { blob: Buffer }, _encoding, done) => {
        done(null, message.blob)
      },
    })
    await pipeline(this.#client.snapshot(), blobs, createWriteStream(file, { mode: 0o600 }))
  }

  /** Ends "no space" once there is space again; etcd itself keeps refusing writes until told. */
  async clearAlarms(wait: Wait): Promise<void> {
    const { alarms } = await this.#client.call<{ alarms: { memberID: string; alarm: number }[] }>(
      'Maintenance',
      'Alarm',
      { action: 0, memberID: 0, alarm: 0 },
      wait,
    )
    for (const { memberID, alarm } of alarms)
      await this.#client.call('Maintenance', 'Alarm', { action: 2, memberID, alarm }, wait)
  }
}

/** etcd's own words, which say more than its status. */
function etcdText(error: MureError): string {
  const text = error.details?.['etcd']
  return typeof text === 'string' ? text : error.message
}

const toMember = (member: Member): StoreMember => ({
  id: member.ID,
  name: member.name,
  peerUrl: member.peerURLs[0] ?? '',
  learner: member.isLearner,
})
