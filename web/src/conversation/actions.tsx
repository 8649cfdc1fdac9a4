import type { Message } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { href, paths } from '../router.ts'
import { say } from '../state/view.ts'
import { Dialog } from '../ui/dialog.tsx'
import { openEmoji, quickEmoji } from '../ui/emoji.ts'
import { Icon } from '../ui/icon.tsx'
import { Menu, MenuEntries, type MenuItem, type Point } from '../ui/menu.tsx'

/** What can be done with a message: a menu beside it for a pointer, a sheet from below for a finger. */
export function MessageActions ({
  message,
  anchor,
  at,
  isSheet,
  mayDelete,
  pin,
  mayHide,
  onReact,
  onReply,
  onEdit,
  onDelete,
  onHide,
  onForward,
  onReaders,
  onSelect,
  onClose
}: {
  message: Message
  anchor: Element
  at: Point | undefined
  isSheet: boolean
  /** Own messages, and others' for those who keep order in a room. */
  mayDelete: boolean
  /** Undefined: the reader may not pin here. */
  pin: { isPinned: boolean; act: () => void } | undefined
  /** For oneself alone. */
  mayHide: boolean
  onReact: (emoji: string) => void
  onReply: () => void
  onEdit: () => void
  onDelete: () => void
  onHide: () => void
  onForward: () => void
  /** Undefined: nobody tells how far they have read here. */
  onReaders: (() => void) | undefined
  /** Begins to choose several. */
  onSelect: () => void
  onClose: () => void
}) {
  const t = texts.value.chat
  const isSent = message.seq !== undefined
  const items: MenuItem[] = [
    ...(isSent ? [{ icon: 'reply' as const, text: t.reply, act: onReply }] : []),
    ...(message.isOwn ? [{ icon: 'edit' as const, text: t.edit, act: onEdit }] : []),
    ...(message.text === ''
      ? []
      : [
          {
            icon: 'copy' as const,
            text: t.copy,
            act: () => {
              copy(message.text)
            }
          }
        ]),
    ...(isSent
      ? [
          {
            icon: 'link' as const,
            text: t.copyLink,
            act: () => {
              copy(location.origin + href(paths.conversation(message.conversationId, { seq: message.seq })))
            }
          }
        ]
      : []),
    ...(pin !== undefined && isSent
      ? [{ icon: 'pin' as const, text: pin.isPinned ? t.unpin : t.pin, act: pin.act }]
      : []),
    ...(isSent ? [{ icon: 'forward' as const, text: t.forward, act: onForward }] : []),
    ...(isSent && onReaders !== undefined ? [{ icon: 'read' as const, text: t.readBy, act: onReaders }] : []),
    { icon: 'select', text: t.select, act: onSelect },
    ...(mayHide ? [{ icon: 'eyeOff' as const, text: t.deleteForMe, act: onHide, isDanger: true, isApart: true }] : []),
    ...(mayDelete
      ? [
          {
            icon: 'trash' as const,
            text: isSent ? t.deleteForAll : t.delete,
            act: onDelete,
            isDanger: true,
            isApart: !mayHide
          }
        ]
      : [])
  ]
  if (!isSheet) return <Menu anchor={anchor} at={at} items={items} label={t.actions} onClose={onClose} />
  return (
    <Dialog label={t.actions} look='sheet' onClose={onClose}>
      {isSent && (
        <div class='quick' role='group' aria-label={t.react}>
          {quickEmoji()
            .slice(0, 5)
            .map(emoji => (
              <button
                key={emoji}
                type='button'
                aria-pressed={message.reactions.some(reaction => reaction.emoji === emoji && reaction.mine)}
                aria-label={emoji}
                onClick={() => {
                  onClose()
                  onReact(emoji)
                }}
              >
                {emoji}
              </button>
            ))}
          <button
            type='button'
            aria-label={t.moreEmoji}
            onClick={() => {
              onClose()
              openEmoji(anchor, onReact)
            }}
          >
            <Icon name='react' />
          </button>
        </div>
      )}
      {isSent && <hr />}
      <div class='acts'>
        <MenuEntries items={items} onClose={onClose} />
      </div>
    </Dialog>
  )
}

export function copy (text: string): void {
  navigator.clipboard.writeText(text).then(
    () => {
      say(texts.value.chat.copied)
    },
    () => undefined
  )
}
