/** What an adoption may have to say about a message or a user, and whether it is left out. */
const reportCodes = {
  USER_ID: { isLeftOut: true, text: 'the sender or the receiver has an id of another form' },
  ONESELF: { isLeftOut: true, text: 'sent to oneself, for which there is no conversation' },
  IN_USE: { isLeftOut: true, text: 'a server has written to the conversation since' },
  ID_REPLACED: { isLeftOut: false, text: 'the id is no ObjectId: it has another one now' },
  TIME_MISSING: { isLeftOut: false, text: 'no usable createdAt: the time in its id counts' },
  TIME_ORDER: { isLeftOut: false, text: 'changed before it was created: its creation counts' },
  TYPE_UNKNOWN: { isLeftOut: false, text: 'an unknown messageType is a text now' },
  TEXT_MISSING: { isLeftOut: false, text: 'no text: it is empty now' },
  TEXT_EMPTY: { isLeftOut: false, text: 'an empty text' },
  LISTING_ID: { isLeftOut: false, text: 'a listingId of another form is left out' },
  USER_UNKNOWN: { isLeftOut: false, text: 'there is no such user: shown as a deleted one' },
  USER_ROW: { isLeftOut: true, text: 'a user whose id has another form' },
  READ_EARLIER: { isLeftOut: false, text: 'unread, but a later one was read: it counts as read' }
} as const satisfies Record<string, { isLeftOut: boolean, text: string }>

export type ReportCode = keyof typeof reportCodes

/** Examples of each code that a report names. */
const examplesMax = 5

/** Counts what a run has done. Its memory does not grow with the number of messages. */
export class Report {
  /** Old messages that were looked at, and those that were new or changed. */
  messages = 0
  changed = 0
  /** Old messages that are gone. */
  removed = 0
  users = 0
  /** Conversations and rows that were written to the log. */
  conversations = 0
  rows = 0
  readonly codes = new Map<ReportCode, { count: number, examples: string[] }>()

  add (code: ReportCode, about: string, count = 1): void {
    const entry = this.codes.get(code) ?? { count: 0, examples: [] }
    this.codes.set(code, entry)
    entry.count += count
    if (entry.examples.length < examplesMax) entry.examples.push(about)
  }

  /** As lines of text. */
  lines (): string[] {
    const { messages, changed, removed, users, conversations, rows } = this
    return [
      `${messages} messages looked at, ${changed} new or changed, ${removed} gone; ${users} users`,
      `${conversations} conversations with ${rows} messages`,
      ...[...this.codes].map(([code, { count, examples }]) => {
        const { isLeftOut, text } = reportCodes[code]
        const named = `${examples.join(', ')}${count > examples.length ? ', …' : ''}`
        return `${isLeftOut ? 'left out' : 'changed'} ${code}: ${count}: ${text} (${named})`
      })
    ]
  }
}
