import type { Member, Role, User } from '@tidelog/client'
import { useMemo, useState } from 'preact/hooks'
import { ago } from '../i18n/dates.ts'
import { texts } from '../i18n/index.ts'
import { back, go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { myId, nameOf, useUser } from '../state/people.ts'
import { presenceOf, useHereCount } from '../state/presence.ts'
import { useReadable } from '../state/readable.ts'
import { isWide } from '../state/view.ts'
import { Find, Trouble } from '../ui/fields.tsx'
import { FormDialog } from '../ui/form.tsx'
import { IconButton } from '../ui/icon.tsx'
import { Item } from '../ui/item.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import { BackButton } from '../ui/page-head.tsx'
import { Person } from '../ui/person.tsx'
import { BannedPeople } from './bans.tsx'
import { PeoplePicker } from './people-picker.tsx'

/** So many members are in the page at most; the search finds the others. */
const shownMax = 300
const order: Record<Role, number> = { owner: 0, moderator: 1, member: 2 }

/** Who is in a room: here and not here, with what one may do to them. */
export function MembersPane ({ conversationId }: { conversationId: string }) {
  const t = texts.value.members
  const conversation = useMemo(() => client.conversation(conversationId), [conversationId])
  const members = useReadable(conversation.members)
  const summary = useReadable(conversation.summary)
  const [query, setQuery] = useState('')
  const [isAdding, setAdding] = useState(false)
  const [showsBans, setShowsBans] = useState(false)
  const [error, setError] = useState<string>()
  const shown = members.slice(0, shownMax)
  useHereCount(shown.map(member => member.userId))
  const sorted = [...shown].sort((a, b) => order[a.role ?? 'member'] - order[b.role ?? 'member'])
  const here = sorted.filter(member => presenceOf(member.userId)?.status === 'online')
  const away = sorted.filter(member => !here.includes(member))
  const close = () => {
    back(paths.conversation(conversationId))
  }
  const mayManage = summary?.role === 'owner' || summary?.role === 'moderator'
  const roomId = summary?.roomId ?? ''
  const run = (promise: Promise<unknown>) => {
    setError(undefined)
    promise.catch((failure: unknown) => {
      setError(why(failure))
    })
  }
  const shared = { query, roomId, myRole: summary?.role, run }
  return (
    <aside class='pane side' aria-label={t.title}>
      <header class='bar'>
        {!isWide.value && <BackButton onClick={close} />}
        <h2 class='grow'>
          {t.title} <span class='muted num'>{members.length}</span>
        </h2>
        {mayManage && (
          <IconButton
            name='addPeople'
            label={t.add}
            onClick={() => {
              setAdding(true)
            }}
          />
        )}
        {isWide.value && <IconButton name='close' label={texts.value.app.close} onClick={close} />}
      </header>
      <div class='pad top'>
        <Find label={t.find} placeholder={t.find} value={query} onInput={setQuery} />
      </div>
      {error !== undefined && <Trouble text={error} />}
      <div class='items scroll' tabIndex={-1}>
        <Members title={t.here} list={here} {...shared} />
        <Members title={t.notHere} list={away} {...shared} />
        {mayManage && (
          <Item
            icon='ban'
            text={t.banned}
            opens
            onClick={() => {
              setShowsBans(true)
            }}
          />
        )}
      </div>
      {showsBans && (
        <BannedPeople
          roomId={roomId}
          onClose={() => {
            setShowsBans(false)
          }}
        />
      )}
      {isAdding && (
        <AddPeople
          roomId={roomId}
          without={members.map(member => member.userId)}
          onClose={() => {
            setAdding(false)
          }}
        />
      )}
    </aside>
  )
}

interface MemberProps {
  /** Only members whose name contains it are shown. */
  query: string
  roomId: string
  myRole: Role | undefined
  /** Shows the error if an action fails. */
  run: (promise: Promise<unknown>) => void
}

function Members ({ title, list, ...shared }: MemberProps & { title: string, list: readonly Member[] }) {
  if (list.length === 0) return null
  return (
    <>
      <h3>
        {title} <span class='num'>{list.length}</span>
      </h3>
      <ul>
        {list.map(member => (
          <MemberItem key={member.userId} member={member} {...shared} />
        ))}
      </ul>
    </>
  )
}

function MemberItem ({ member, query, roomId, myRole, run }: MemberProps & { member: Member }) {
  const t = texts.value.members
  const user = useUser(member.userId)
  const [menu, setMenu] = useState<Element>()
  const wanted = query.trim().toLowerCase()
  if (wanted !== '' && !`${user?.fullName ?? ''} ${user?.username ?? ''}`.toLowerCase().includes(wanted)) return null
  const isMe = member.userId === myId()
  const presence = presenceOf(member.userId)
  const handle = user === undefined ? '' : isMe ? t.handleYou(user.username) : `@${user.username}`
  const line =
    presence?.status !== 'online' && presence?.lastActiveAt != null
      ? texts.value.presence.seen(ago(presence.lastActiveAt))
      : handle
  return (
    <li class='item'>
      <Person user={user} id={member.userId} note={line} size='md' withPresence />
      {member.role === 'owner' && <span class='tag ink'>{t.owner}</span>}
      {member.role === 'moderator' && <span class='tag'>{t.moderator}</span>}
      {!isMe && (
        <IconButton
          small
          name='more'
          label={`${texts.value.app.more}: ${nameOf(user)}`}
          aria-haspopup='menu'
          onClick={event => {
            setMenu(event.currentTarget as Element)
          }}
        />
      )}
      {menu !== undefined && (
        <Menu
          anchor={menu}
          label={nameOf(user)}
          items={actionsOn(member, roomId, myRole, run)}
          onClose={() => {
            setMenu(undefined)
          }}
        />
      )}
    </li>
  )
}

/** What one may do to a member: an owner everything, a moderator what concerns members. */
function actionsOn (
  member: Member,
  roomId: string,
  myRole: Role | undefined,
  run: (promise: Promise<unknown>) => void
): MenuItem[] {
  const t = texts.value.members
  const { rooms } = client
  const items: MenuItem[] = [
    {
      icon: 'message',
      text: t.message,
      act: () => {
        go(paths.conversation(client.direct(member.userId).id))
      }
    }
  ]
  const setRole = (role: Role | null) => () => {
    run(rooms.setMember(roomId, member.userId, role))
  }
  const isBelow = myRole === 'owner' || (myRole === 'moderator' && member.role === 'member')
  if (myRole === 'owner') {
    const [text, role] = member.role === 'moderator'
      ? [t.makeMember, 'member'] as const
      : [t.makeModerator, 'moderator'] as const
    items.push(
      { icon: 'shield', text, act: setRole(role) },
      { icon: 'key', text: t.makeOwner, act: setRole('owner') }
    )
  }
  if (isBelow) {
    const ban = () => {
      run(rooms.ban(roomId, member.userId, true))
    }
    items.push(
      { icon: 'leave', text: t.remove, isDanger: true, isApart: true, act: setRole(null) },
      { icon: 'ban', text: t.ban, isDanger: true, act: ban }
    )
  }
  return items
}

function AddPeople ({
  roomId,
  without,
  onClose
}: {
  roomId: string
  without: readonly string[]
  onClose: () => void
}) {
  const t = texts.value
  const [people, setPeople] = useState<User[]>([])

  async function add () {
    const results = await Promise.allSettled(people.map(user => client.rooms.setMember(roomId, user.id, 'member')))
    const failed = results.find(result => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  return (
    <FormDialog
      title={t.members.add}
      act={t.members.add}
      isComplete={people.length > 0}
      onSave={add}
      onClose={onClose}
    >
      <PeoplePicker chosen={people} onChange={setPeople} without={without} />
    </FormDialog>
  )
}
