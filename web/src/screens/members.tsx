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
import { Avatar } from '../ui/avatar.tsx'
import { Dialog, DialogHead } from '../ui/dialog.tsx'
import { Find, Trouble } from '../ui/fields.tsx'
import { IconButton } from '../ui/icon.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
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
  const section = (title: string, list: Member[]) =>
    list.length > 0 && (
      <>
        <h3>
          {title} <span class='num'>{list.length}</span>
        </h3>
        <ul>
          {list.map(member => (
            <MemberItem
              key={member.userId}
              member={member}
              query={query}
              roomId={roomId}
              myRole={summary?.role}
              run={run}
            />
          ))}
        </ul>
      </>
    )
  return (
    <aside class='pane side' aria-label={t.title}>
      <header class='bar'>
        {!isWide.value && <IconButton name='back' label={texts.value.app.back} class='back' flip onClick={close} />}
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
        {section(t.here, here)}
        {section(t.notHere, away)}
      </div>
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

function MemberItem ({
  member,
  query,
  roomId,
  myRole,
  run
}: {
  member: Member
  query: string
  roomId: string
  myRole: Role | undefined
  run: (promise: Promise<unknown>) => void
}) {
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
      <Avatar user={user} id={member.userId} size='md' withPresence />
      <span class='grow'>
        <b class='cut' dir='auto'>
          {nameOf(user)}
        </b>
        <small class='cut'>{line}</small>
      </span>
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
  const isBelow = myRole === 'owner' || (myRole === 'moderator' && member.role === 'member')
  if (myRole === 'owner') {
    items.push(
      member.role === 'moderator'
        ? {
            icon: 'shield',
            text: t.makeMember,
            act: () => {
              run(rooms.setMember(roomId, member.userId, 'member'))
            }
          }
        : {
            icon: 'shield',
            text: t.makeModerator,
            act: () => {
              run(rooms.setMember(roomId, member.userId, 'moderator'))
            }
          }
    )
    items.push({
      icon: 'key',
      text: t.makeOwner,
      act: () => {
        run(rooms.setMember(roomId, member.userId, 'owner'))
      }
    })
  }
  if (isBelow) {
    items.push({
      icon: 'leave',
      text: t.remove,
      isDanger: true,
      isApart: true,
      act: () => {
        run(rooms.setMember(roomId, member.userId, null))
      }
    })
    items.push({
      icon: 'ban',
      text: t.ban,
      isDanger: true,
      act: () => {
        run(rooms.ban(roomId, member.userId, true))
      }
    })
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
  const [error, setError] = useState<string>()

  async function add () {
    const results = await Promise.allSettled(people.map(user => client.rooms.setMember(roomId, user.id, 'member')))
    const failed = results.find(result => result.status === 'rejected')
    if (failed === undefined) onClose()
    else setError(why(failed.reason))
  }

  return (
    <Dialog label={t.members.add} onClose={onClose}>
      <DialogHead title={t.members.add} onClose={onClose} />
      <form
        class='create'
        onSubmit={event => {
          event.preventDefault()
          void add()
        }}
      >
        <div class='form scroll'>
          <PeoplePicker chosen={people} onChange={setPeople} without={without} />
          {error !== undefined && <Trouble text={error} />}
        </div>
        <footer class='foot'>
          <span class='grow' />
          <button type='button' class='btn bare' onClick={onClose}>
            {t.app.cancel}
          </button>
          <button class='btn main' disabled={people.length === 0}>
            {t.members.add}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
