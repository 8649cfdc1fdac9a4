import { TidelogError } from '../../errors.ts'
import { type Head, type OwnSettings, type Seq, seqOf } from '../../log/model/types.ts'
import type { SettingsInput } from '../../schemas/conversation.ts'
import type { ConversationSettings } from '../../schemas/settings.ts'
import { requireCommittedByMember } from '../access/access.ts'
import { type ChatContext, type PreparedCommit, atOnce } from '../context.ts'
import { requireRef } from '../rules/conversation-id.ts'
import { settingsPayload } from './settings-payload.ts'
import type { Identity } from '../../users/identity.ts'

/** Messages of a conversation that one user can hide. Clearing is not limited. */
const hiddenSeqsMax = 500

export interface ChangedSettings {
  conversationId: string
  /** The rev of the caller's settings in their self log; 0: they never changed any here. */
  rev: number
  settings: ConversationSettings
}

/**
 * Changes the caller's own settings of a conversation, including its cleared and hidden messages. Neither can be
 * undone.
 * @throws TidelogError NOT_FOUND to a stranger, NOT_ALLOWED (a public room that the caller has not joined, the common
 * chat, too many hidden messages)
 */
export const changeSettings = atOnce(prepareSettings)

export function prepareSettings (
  context: ChatContext, identity: Identity, given: string, input: SettingsInput
): PreparedCommit<ChangedSettings> {
  const { conversationId } = requireRef(given, identity.userId)
  const decide = (settings: OwnSettings, head: Head): OwnSettings =>
    settingsAfter(settings, input, head, new Date(context.now()))
  return async () => {
    const outcome = await context.log.commit({
      mutations: [{ type: 'settings', conversationId, userId: identity.id, decide }]
    })
    const { rows: [row] } = await requireCommittedByMember(context, conversationId, outcome)
    return { conversationId, rev: row?.rev ?? 0, settings: settingsPayload(row) }
  }
}

/** The settings with the named ones changed. @throws TidelogError NOT_ALLOWED */
export function settingsAfter (settings: OwnSettings, input: SettingsInput, head: Head, now: Date): OwnSettings {
  const { mutedUntil, notify, archived, pinned, markedUnread } = input
  if (
    head.kind === 'common' &&
    (markedUnread === true || input.clearThroughSeq !== undefined || input.hideSeqs !== undefined)
  ) {
    throw new TidelogError('NOT_ALLOWED', 'Nothing of the common chat can be cleared, hidden or marked as unread')
  }
  return {
    ...settings,
    ...(mutedUntil === undefined ? {} : { mutedUntil: mutedUntil === null ? undefined : new Date(mutedUntil) }),
    ...(notify === undefined ? {} : { notify: notify === 'all' ? undefined : notify }),
    ...(archived === undefined ? {} : { archived: archived || undefined }),
    ...(pinned === undefined ? {} : { pinnedAt: pinned ? settings.pinnedAt ?? now : undefined }),
    ...(markedUnread === undefined ? {} : { markedUnread: markedUnread || undefined }),
    ...narrowed(settings, input, head)
  }
}

function narrowed (
  settings: OwnSettings, { clearThroughSeq = 0, hideSeqs = [] }: SettingsInput, { headSeq }: Head
): Pick<OwnSettings, 'clearedSeq' | 'hiddenSeqs'> {
  const cleared = Math.max(settings.clearedSeq ?? 0, Math.min(clearThroughSeq, headSeq))
  const hidden = [...new Set<number>([...settings.hiddenSeqs ?? [], ...hideSeqs.filter(seq => seq <= headSeq)])]
    .filter(seq => seq > cleared).sort((a, b) => a - b) as Seq[]
  if (hidden.length > hiddenSeqsMax) {
    throw new TidelogError('NOT_ALLOWED', `No more than ${hiddenSeqsMax} messages of a conversation can be hidden`)
  }
  return {
    clearedSeq: cleared === 0 ? undefined : seqOf(cleared),
    hiddenSeqs: hidden.length === 0 ? undefined : hidden
  }
}
