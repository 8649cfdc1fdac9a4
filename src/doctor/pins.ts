import { type Pin, stateRowId } from '../log/model/types.ts'
import type { Examination } from './examination.ts'

const looksMax = 10

/**
 * Pins of messages that are not there, and a head that does not know its pins: a client that begins would get none of
 * them. A deletion and a purge change the pins in their own commit, so pins that stood still are right.
 */
export async function examinePins ({ collections, say }: Examination, conversationId: string): Promise<void> {
  const found = await lostPins({ collections }, conversationId)
  if (found === undefined) return
  const { lost, isKnown } = found
  if (lost.length > 0) say({ code: 'PINS', conversationId, detail: `${lost.length} pinned messages are not there` })
  else if (!isKnown) say({ code: 'PINS', conversationId, detail: 'the head has another rev for them' })
}

/** Undefined: there are no pins, or they never stood still. */
export async function lostPins (
  { collections: { heads, rows } }: Pick<Examination, 'collections'>, conversationId: string
): Promise<{ lost: Pin[], isKnown: boolean } | undefined> {
  const _id = stateRowId(conversationId, 'pins', '')
  for (let look = 0; look < looksMax; look++) {
    const before = await rows.findOne({ _id })
    if (before === null) return undefined
    const pins = before.pins ?? []
    const head = await heads.findOne({ _id: conversationId })
    const named = { $in: pins.map(({ messageId }) => messageId) }
    const there = await rows.find({ _id: named, isDeleted: { $exists: false } })
      .project<{ _id: object }>({ _id: 1 }).toArray()
    const after = await rows.findOne({ _id })
    if (before.rev !== after?.rev) continue
    const ids = new Set(there.map(row => String(row._id)))
    const isLost = ({ messageId, seq }: Pin) => !ids.has(String(messageId)) || seq <= (head?.purgedSeq ?? 0)
    return { lost: pins.filter(isLost), isKnown: head?.pinsRev === before.rev }
  }
  return undefined
}
