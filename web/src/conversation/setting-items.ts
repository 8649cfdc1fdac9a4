import type { Conversation, Summary } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { go, lastConversation, paths } from '../router.ts'
import type { MenuItem } from '../ui/menu.tsx'

const hourMs = 3_600_000
/** So far away that nobody waits for it. */
const foreverMs = 100 * 365 * 24 * hourMs

export const isMuted = ({ settings }: Summary): boolean =>
  settings.mutedUntil !== null && settings.mutedUntil > Date.now()

/** What one may settle for oneself about a conversation. */
export function settingItems (conversation: Conversation, summary: Summary): MenuItem[] {
  const t = texts.value.settle
  const { settings } = summary
  const isUnread = settings.markedUnread || summary.unreadCount > 0
  const configure = (input: Parameters<Conversation['configure']>[0]) => () => {
    void conversation.configure(input)
  }
  const mute = (text: string, ms: number): MenuItem => ({
    icon: 'muted', text, act: () => { void conversation.configure({ mutedUntil: Date.now() + ms }) }
  })
  return [
    settings.pinnedAt === null
      ? { icon: 'pin', text: t.pin, act: configure({ pinned: true }) }
      : { icon: 'pin', text: t.unpin, act: configure({ pinned: false }) },
    isMuted(summary)
      ? { icon: 'bell', text: t.unmute, act: configure({ mutedUntil: null }) }
      : {
          icon: 'muted',
          text: t.mute,
          more: [
            mute(t.forHours(1), hourMs), mute(t.forHours(8), 8 * hourMs), mute(t.forDays(7), 168 * hourMs),
            mute(t.forever, foreverMs)
          ]
        },
    ...(summary.kind === 'common' ? [] : [isUnread ? read(conversation) : unread(conversation)]),
    settings.archived
      ? { icon: 'archive', text: t.unarchive, act: configure({ archived: false }) }
      : { icon: 'archive', text: t.archive, act: () => { leaveThen(conversation, { archived: true }) } }
  ]
}

function read (conversation: Conversation): MenuItem {
  return {
    icon: 'read',
    text: texts.value.settle.markRead,
    act: () => {
      void conversation.markRead()
      const isMarked = conversation.summary.get()?.settings.markedUnread === true
      if (isMarked) void conversation.configure({ markedUnread: false })
    }
  }
}

function unread (conversation: Conversation): MenuItem {
  return {
    icon: 'unread',
    text: texts.value.settle.markUnread,
    act: () => { leaveThen(conversation, { markedUnread: true }) }
  }
}

/** A conversation that one looks at would be read at once, or would stay open though it is put away. */
function leaveThen (conversation: Conversation, input: Parameters<Conversation['configure']>[0]): void {
  if (lastConversation.peek() === conversation.id) go(paths.home())
  void conversation.configure(input)
}
