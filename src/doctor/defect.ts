/** All defects of a database, and whether a repair can derive the right value. */
export const defects = {
  INDEX_MISSING: { repairable: true, text: 'an index is missing' },
  INDEX_DIFFERS: { repairable: false, text: 'an index is not what the log needs' },
  INDEX_EXPIRES: { repairable: false, text: 'an index removes rows after a time' },
  HEAD_MISSING: { repairable: true, text: 'rows of a conversation without a head' },
  HEAD_BEHIND: { repairable: true, text: 'a head is behind its rows' },
  HEAD_AHEAD: { repairable: false, text: 'a head counts messages that are not there' },
  REV_SHARED: { repairable: false, text: 'two rows share a rev' },
  SEQ_SHARED: { repairable: false, text: 'two messages share a seq' },
  SEQ_MISSING: { repairable: false, text: 'a seq is missing' },
  SEQ_MISPLACED: { repairable: false, text: 'a message without a seq, or a seq on what is no message' },
  TIME_ORDER: { repairable: false, text: 'times do not increase with rev' },
  CLIENT_ID_SHARED: { repairable: false, text: 'two messages of a sender share a client id' },
  READ_AHEAD: { repairable: false, text: 'a member has read beyond the end' },
  MEMBER_COUNT: { repairable: true, text: 'a head counts other members than there are' },
  OWN_LOG: { repairable: true, text: 'a user\'s own log and the members disagree' },
  PINS: { repairable: true, text: 'pins of messages that are not there, or that the head does not know' },
  FILE_MISSING: { repairable: false, text: 'a file of a message, or its bytes, are missing' },
  FILE_ORPHAN: { repairable: true, text: 'a file, or bytes, that nothing carries' }
} as const satisfies Record<string, { repairable: boolean, text: string }>

export type DefectCode = keyof typeof defects

export interface Defect {
  code: DefectCode
  /** '' if the defect concerns no single conversation. */
  conversationId: string
  /** OWN_LOG: the owner of the self log. */
  userId?: string
  /** FILE_ORPHAN: the file. */
  fileId?: string
  /** The smallest evidence. */
  detail: string
}
