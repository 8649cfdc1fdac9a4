import { type MongoClient, ObjectId } from 'mongodb'
import { Committer } from '../log/commit/committer.ts'
import { type LogCollections } from '../log/model/collections.ts'
import {
  type Head, type LogRow, type Pin, nameKeyOf, revOf, selfLogId, seqOf, settingsOf, stateRowId
} from '../log/model/types.ts'
import { kindOf } from './checks.ts'
import { countMembers, roleAndWord, topsOf } from './conversation.ts'
import { lostPins } from './pins.ts'
import type { Defect } from './defect.ts'
import { type StoredFiles, repairOrphan } from './files.ts'
import { createIndex, usableIndexes } from './indexes.ts'

/** Repairs what other stored data determines. Lost data stays lost. */
export class Repairs {
  private readonly collections: LogCollections
  private readonly stored: StoredFiles
  private readonly committer: Committer

  constructor (client: MongoClient, collections: LogCollections, stored: StoredFiles) {
    this.collections = collections
    this.stored = stored
    // Servers may be writing: the transaction that moves a head checks it.
    this.committer = new Committer(client, collections, { isSoleWriter: false })
  }

  /** True: the defect is repaired. */
  async repair (defect: Defect): Promise<boolean> {
    switch (defect.code) {
      case 'INDEX_MISSING': return await this.addIndex(defect)
      case 'HEAD_MISSING': return await this.makeHead(defect.conversationId)
      case 'HEAD_BEHIND': return await this.advanceHead(defect.conversationId)
      case 'MEMBER_COUNT': return await this.countAgain(defect.conversationId)
      case 'OWN_LOG': return await this.tellOwnLog(defect.userId!, defect.conversationId)
      case 'PINS': return await this.endLostPins(defect.conversationId)
      case 'FILE_ORPHAN': return await repairOrphan(this.stored, defect.fileId!)
      case 'INDEX_DIFFERS':
      case 'INDEX_EXPIRES':
      case 'HEAD_AHEAD':
      case 'REV_SHARED':
      case 'SEQ_SHARED':
      case 'SEQ_MISSING':
      case 'SEQ_MISPLACED':
      case 'TIME_ORDER':
      case 'CLIENT_ID_SHARED':
      case 'FILE_MISSING':
      case 'READ_AHEAD': return false
    }
  }

  close (): Promise<void> {
    return this.committer.close()
  }

  private async addIndex (defect: Defect): Promise<boolean> {
    try {
      await createIndex(this.collections, defect)
      return true
    } catch (error) {
      // Two rows share a value that the index makes unique: the scans report them.
      if ((error as { code?: number }).code === 11_000) return false
      throw error
    }
  }

  /** Only raises the head, so that every commit made meanwhile is kept. */
  private async advanceHead (conversationId: string): Promise<boolean> {
    const { rev, seq, clock } = await this.tops(conversationId)
    await this.collections.heads.updateOne(
      { _id: conversationId },
      { $max: { headRev: revOf(rev), headSeq: seqOf(seq), clock: new Date(clock) } }
    )
    return true
  }

  /** If no rows are left, the assigned revs and seqs are unknown. */
  private async makeHead (conversationId: string): Promise<boolean> {
    const kind = kindOf(conversationId)
    const { heads, rows, members } = this.collections
    const { rev, seq, clock } = await this.tops(conversationId)
    if (kind === undefined || rev === 0) return false
    const meta = await rows.findOne({ _id: stateRowId(conversationId, 'meta', '') })
    const purge = await rows.findOne({ _id: stateRowId(conversationId, 'purge', '') })
    const pins = await rows.findOne({ _id: stateRowId(conversationId, 'pins', '') })
    const last = async (rowKind: LogRow['kind']) =>
      (await rows.find({ conversationId, kind: rowKind }).sort({ rev: -1 }).limit(1).toArray())[0]?.rev
    const [memberRev, blockRev, settingsRev] =
      kind === 'self' ? [await last('membership'), await last('block'), await last('settings')] : []
    const head: Head = {
      _id: conversationId,
      kind,
      headRev: revOf(rev),
      headSeq: seqOf(Math.max(seq, purge?.throughSeq ?? 0)),
      clock: new Date(clock),
      memberCount: await members.countDocuments({ conversationId }),
      createdAt: new Date(clock),
      ...(meta === null ? {} : { ...settingsOf(meta), ...nameKeyOf(meta), metaRev: meta.rev }),
      ...(purge?.throughSeq === undefined ? {} : { purgedSeq: purge.throughSeq }),
      ...(pins === null ? {} : { pinsRev: pins.rev }),
      ...(memberRev === undefined ? {} : { memberRev }),
      ...(blockRev === undefined ? {} : { blockRev }),
      ...(settingsRev === undefined ? {} : { settingsRev })
    }
    const { upsertedCount } = await heads.updateOne({ _id: conversationId }, { $setOnInsert: head }, { upsert: true })
    return upsertedCount === 1
  }

  private async countAgain (conversationId: string): Promise<boolean> {
    const counted = await countMembers({ collections: this.collections }, conversationId)
    if (counted === undefined) return false
    const { modifiedCount } = await this.collections.heads.updateOne(
      { _id: conversationId, headRev: counted.head.headRev },
      { $set: { memberCount: counted.members } }
    )
    return modifiedCount === 1
  }

  /** The members are right. A normal commit corrects the self log, so that its user's clients get the change. */
  private async tellOwnLog (userId: string, conversationId: string): Promise<boolean> {
    const id = ObjectId.createFromHexString(userId)
    const standing = await roleAndWord({ collections: this.collections }, userId, conversationId)
    if (standing === undefined) return false
    const { outcome } = await this.committer.commit({
      mutations: [{
        type: 'put',
        conversationId: selfLogId(id),
        kind: 'membership',
        subject: conversationId,
        decide: () => ({ about: conversationId, userId: id, role: standing.role }),
        open: { kind: 'self', members: [] }
      }]
    })
    return outcome === 'committed' || outcome === 'unchanged'
  }

  /** A normal commit ends the pins, so that clients get the change. */
  private async endLostPins (conversationId: string): Promise<boolean> {
    const { lost = [] } = await lostPins({ collections: this.collections }, conversationId) ?? {}
    const isLost = ({ messageId }: Pin) => lost.some(pin => pin.messageId.equals(messageId))
    const { outcome } = await this.committer.commit({
      mutations: [{
        type: 'put',
        conversationId,
        kind: 'pins',
        subject: '',
        decide: row => ({ pins: (row?.pins ?? []).filter(pin => !isLost(pin)) })
      }]
    })
    const pins = await this.collections.rows.findOne({ _id: stateRowId(conversationId, 'pins', '') })
    if (pins === null || (outcome !== 'committed' && outcome !== 'unchanged')) return false
    await this.collections.heads.updateOne({ _id: conversationId }, { $max: { pinsRev: pins.rev } })
    return true
  }

  private async tops (conversationId: string) {
    return await topsOf(
      { collections: this.collections, usable: await usableIndexes(this.collections) }, conversationId
    )
  }
}
