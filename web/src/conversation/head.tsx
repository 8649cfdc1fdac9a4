import type { Conversation, Summary } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { ago } from '../i18n/dates.ts'
import { texts } from '../i18n/index.ts'
import { back, go, paths, route } from '../router.ts'
import { client } from '../state/client.ts'
import { useHereCount, usePresence } from '../state/presence.ts'
import { useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { isWide } from '../state/view.ts'
import { ConversationMark } from '../ui/conversation-mark.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { IconButton } from '../ui/icon.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import { BackButton } from '../ui/page-head.tsx'
import { RoomSettings } from '../screens/room-settings.tsx'
import { settingItems } from './setting-items.ts'

/** The name of a conversation, who is there, and what can be done with all of it. */
export function ConversationHead ({
  conversation,
  summary,
  title
}: {
  conversation: Conversation
  summary: Summary | undefined
  title: string
}) {
  const t = texts.value
  const [menu, setMenu] = useState<Element>()
  const [dialog, setDialog] = useState<'settings' | 'leave' | 'clear'>()
  const isDirect = summary?.kind === 'direct'
  const isRoom = summary?.kind === 'room'
  const isOpen = route.value.page === 'conversation' && route.value.panel === 'members'
  // Beside three buttons a phone cuts off who is there.
  const isCrowded = isRoom && !isWide.value
  const search = () => {
    go(paths.search('', { within: conversation.id }))
  }
  const items = useItems(conversation, summary, setDialog)
  if (isCrowded) items.unshift({ icon: 'search', text: t.app.search, act: search })

  return (
    <header class='bar'>
      <BackButton />
      <ConversationMark summary={summary} size='md' />
      <div class='grow hd'>
        <h1 class='cut' dir='auto'>
          {title}
        </h1>
        <div class='tiny muted cut'>
          {isDirect
            ? (
              <PersonLine userId={summary.userId ?? ''} />
              )
            : (
              <RoomLine conversation={conversation} summary={summary} />
              )}
        </div>
      </div>
      {!isCrowded && <IconButton name='search' label={t.chat.searchHere} onClick={search} />}
      {isRoom && (
        <IconButton
          name='members'
          label={t.chat.membersPanel}
          aria-expanded={isOpen}
          onClick={() => {
            togglePanel(conversation.id, isOpen)
          }}
        />
      )}
      {items.length > 0 && (
        <IconButton
          name='more'
          label={t.app.more}
          aria-haspopup='menu'
          onClick={event => {
            setMenu(event.currentTarget as Element)
          }}
        />
      )}
      {menu !== undefined && (
        <Menu
          anchor={menu}
          items={items}
          label={t.app.more}
          onClose={() => {
            setMenu(undefined)
          }}
        />
      )}
      {dialog === 'settings' && summary?.roomId !== undefined && (
        <RoomSettings
          roomId={summary.roomId}
          onClose={() => {
            setDialog(undefined)
          }}
        />
      )}
      {dialog === 'clear' && (
        <Confirm
          question={t.chat.clearSure}
          act={t.chat.clear}
          onClose={() => {
            setDialog(undefined)
          }}
          onAct={() => {
            void conversation.clear()
          }}
        />
      )}
      {dialog === 'leave' && summary?.roomId !== undefined && (
        <Confirm
          question={t.rooms.leaveSure}
          act={t.chat.leave}
          onClose={() => {
            setDialog(undefined)
          }}
          onAct={() => {
            client.rooms.leave(summary.roomId ?? '').then(
              () => {
                go(paths.home(), { replace: true })
              },
              () => undefined
            )
          }}
        />
      )}
    </header>
  )
}

/** What can be done with the conversation. */
function useItems (
  conversation: Conversation, summary: Summary | undefined, open: (dialog: 'settings' | 'leave' | 'clear') => void
): MenuItem[] {
  const t = texts.value.chat
  const blocked = useReadable(client.users.blocked)
  const known = useReadable(conversation.summary)
  const items: MenuItem[] = known === undefined ? [] : settingItems(conversation, known)
  if (known?.lastMessage !== undefined && known.kind !== 'common') {
    items.push({ icon: 'eraser', text: t.clear, isDanger: true, isApart: true, act: () => { open('clear') } })
  }
  if (summary?.kind === 'direct') {
    const userId = summary.userId ?? ''
    const isBlocked = blocked.includes(userId)
    items.push({
      icon: 'ban',
      text: isBlocked ? t.unblock : t.block,
      isDanger: !isBlocked,
      isApart: true,
      act: () => {
        void client.users.block(userId, !isBlocked).catch(() => undefined)
      }
    })
  }
  if (summary?.kind !== 'room') return items
  if (summary.role === 'owner' || summary.role === 'moderator') {
    items.push({ icon: 'settings', text: t.details, isApart: true, act: () => { open('settings') } })
  }
  if (summary.role !== undefined) {
    items.push({ icon: 'leave', text: t.leave, isDanger: true, isApart: true, act: () => { open('leave') } })
  }
  return items
}

function togglePanel (id: string, isOpen: boolean): void {
  if (isOpen) back(paths.conversation(id))
  else go(paths.conversation(id, { panel: 'members' }))
}

function PersonLine ({ userId }: { userId: string }) {
  const user = useUser(userId)
  const presence = usePresence(userId)
  const handle = user === undefined ? '' : `@${user.username}`
  const there =
    presence?.status === 'online'
      ? texts.value.presence.hereNow.toLowerCase()
      : presence?.lastActiveAt == null
        ? ''
        : texts.value.presence.seen(ago(presence.lastActiveAt)).toLowerCase()
  return <>{[handle, there].filter(part => part !== '').join(', ')}</>
}

function RoomLine ({ conversation, summary }: { conversation: Conversation; summary: Summary | undefined }) {
  const t = texts.value.chat
  const members = useReadable(conversation.members)
  const here = useHereCount(members.slice(0, 200).map(member => member.userId))
  if (summary?.kind === 'common') return <>{texts.value.hello.everyone}</>
  if (members.length === 0) return <>{'\u00a0'}</>
  const count = here === 0 ? t.members(members.length) : `${t.members(members.length)}, ${t.hereNow(here)}`
  return <>{summary?.topic === undefined ? count : `${count} · ${summary.topic}`}</>
}
