import type { OwnSettings } from '../../log/model/types.ts'
import type { ConversationSettings } from '../../schemas/settings.ts'

/**
 * A user's settings of a conversation as clients get them, in a list, in sync and live. Undefined gives the default
 * settings.
 */
export function settingsPayload ({
  mutedUntil, notify, archived, pinnedAt, markedUnread, clearedSeq, hiddenSeqs
}: OwnSettings = {}): ConversationSettings {
  return {
    mutedUntil: mutedUntil?.toISOString() ?? null,
    notify: notify ?? 'all',
    archived: archived === true,
    pinnedAt: pinnedAt?.toISOString() ?? null,
    markedUnread: markedUnread === true,
    clearedSeq: clearedSeq ?? 0,
    hiddenSeqs: [...hiddenSeqs ?? []]
  }
}
