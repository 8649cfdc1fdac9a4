import type { Summary } from '@tidelog/client'
import { useId, useMemo, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import type { Filters } from '../router.ts'
import { client } from '../state/client.ts'
import { myId, nameOf, useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { Icon } from '../ui/icon.tsx'
import type { IconName } from '../ui/icons.ts'
import { Menu, type MenuItem } from '../ui/menu.tsx'

/** Conversations and people that a menu offers: those of the last activity. */
const offered = 12

/** Which messages are searched: by whom, where, with what, when. */
export function FilterChips ({ filters, onFilters }: { filters: Filters; onFilters: (filters: Filters) => void }) {
  const t = texts.value.search
  const all = useReadable(client.conversations)
  const title = useTitle(filters.within)
  const sender = useUser(filters.from)
  const who = filters.from === myId() ? t.me : nameOf(sender)
  const set = (change: Partial<Filters>) => () => {
    onFilters({ ...filters, ...change })
  }
  const places = (): MenuItem[] => [
    { icon: 'globe', text: t.anywhere, act: set({ within: undefined }) },
    ...all.slice(0, offered).map(summary => ({
      icon: iconOf(summary), text: titleOf(summary), act: set({ within: summary.id })
    }))
  ]
  const people = (): MenuItem[] => [
    { icon: 'members', text: t.anybody, act: set({ from: undefined }) },
    { icon: 'device', text: t.me, act: set({ from: myId() }) },
    ...all.flatMap(({ userId }) => userId === undefined || userId === myId() ? [] : [userId]).slice(0, offered)
      .map(id => ({ icon: 'message' as const, text: nameOf(client.users.get(id).get()), act: set({ from: id }) }))
  ]
  const kinds = (): MenuItem[] => [
    { icon: 'message', text: t.anything, act: set({ has: undefined }) },
    ...(['link', 'image', 'video', 'audio', 'file'] as const).map(kind => ({
      icon: kind === 'link' || kind === 'image' ? kind : 'storage' as const,
      text: t.kinds[kind],
      act: set({ has: kind })
    }))
  ]
  return (
    <div class='chips' role='group' aria-label={t.filters}>
      <Chip name={t.from} chosen={filters.from && t.fromWhom(who)} items={people} />
      <Chip name={t.where} chosen={filters.within && t.here(title)} items={places} />
      <Chip name={t.has} chosen={filters.has && t.withKind(t.kinds[filters.has])} items={kinds} />
      <Day
        label={t.after}
        value={filters.after}
        onDay={after => {
          onFilters({ ...filters, after })
        }}
      />
      <Day
        label={t.before}
        value={filters.before}
        onDay={before => {
          onFilters({ ...filters, before })
        }}
      />
    </div>
  )
}

/** `chosen`: what it says in place of its name. */
function Chip ({ name, chosen, items }: { name: string; chosen: string | undefined; items: () => MenuItem[] }) {
  const [anchor, setAnchor] = useState<Element>()
  return (
    <>
      <button
        type='button'
        class='chip'
        aria-haspopup='menu'
        aria-pressed={chosen !== undefined}
        dir='auto'
        onClick={event => {
          setAnchor(event.currentTarget)
        }}
      >
        {chosen ?? name}
        <Icon small name='below' />
      </button>
      {anchor !== undefined && (
        <Menu
          anchor={anchor}
          label={name}
          items={items()}
          onClose={() => {
            setAnchor(undefined)
          }}
        />
      )}
    </>
  )
}

function Day ({
  label,
  value,
  onDay
}: {
  label: string
  value: string | undefined
  onDay: (day: string | undefined) => void
}) {
  const id = useId()
  return (
    <span class={`chip day${value === undefined ? '' : ' on'}`}>
      <label for={id}>{label}</label>
      <input
        id={id}
        type='date'
        value={value ?? ''}
        onClick={event => {
          event.currentTarget.showPicker()
        }}
        onChange={event => {
          onDay(event.currentTarget.value === '' ? undefined : event.currentTarget.value)
        }}
      />
    </span>
  )
}

const icons: Record<Summary['kind'], IconName> = { direct: 'message', room: 'hash', common: 'common' }
const iconOf = ({ kind }: Summary): IconName => icons[kind]

/** As the menu shows it; names of people are known when their conversations are in the list. */
function titleOf ({ kind, title, userId }: Summary): string {
  if (kind === 'common') return texts.value.app.common
  return userId === undefined ? title : nameOf(client.users.get(userId).get())
}

/** The name of a conversation. */
export function useTitle (id: string | undefined): string {
  const summary = useReadable(useMemo(() => (id === undefined ? undefined : client.conversation(id).summary), [id]))
  const user = useUser(summary?.userId)
  if (summary?.kind === 'common' || id === client.common.id) return texts.value.app.common
  return user === undefined ? (summary?.title ?? '…') : nameOf(user)
}
