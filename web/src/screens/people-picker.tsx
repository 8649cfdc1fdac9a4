import type { User } from '@tidelog/client'
import { useId, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLoad, useSettled } from '../state/load.ts'
import { myId } from '../state/people.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon } from '../ui/icon.tsx'
import { Person } from '../ui/person.tsx'

/** Chooses people by a part of their names. */
export function PeoplePicker ({
  chosen,
  onChange,
  without = []
}: {
  chosen: readonly User[]
  onChange: (chosen: User[]) => void
  without?: readonly string[]
}) {
  const t = texts.value.rooms
  const id = useId()
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const asked = useSettled(query.trim(), 150)
  const found = useLoad(asked, async signal =>
    asked === '' ? [] : (await client.users.search(asked, { signal, limit: 8 })).items
  )
  const taken = new Set([...chosen.map(user => user.id), ...without, myId()])
  const people = asked === '' ? [] : (found.value ?? []).filter(user => !taken.has(user.id))

  function add (user: User | undefined): void {
    if (user === undefined) return
    onChange([...chosen, user])
    setQuery('')
    setAt(0)
  }

  function onKeyDown (event: KeyboardEvent): void {
    if (event.isComposing) return
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (event.key === 'Backspace' && query === '') onChange(chosen.slice(0, -1))
    else if (event.key === 'Enter') add(people[at])
    else if (step !== undefined && people.length > 0) setAt((at + step + people.length) % people.length)
    else return
    event.preventDefault()
  }

  return (
    <div class='field'>
      <label for={id}>{t.people}</label>
      <span class='input people'>
        {chosen.map(user => (
          <span key={user.id} class='pill'>
            <Avatar user={user} id={user.id} size='xs' />
            <span dir='auto'>{user.fullName}</span>
            <button
              type='button'
              aria-label={t.remove(user.fullName)}
              onClick={() => {
                onChange(chosen.filter(other => other.id !== user.id))
              }}
            >
              <Icon small name='close' />
            </button>
          </span>
        ))}
        <input
          id={id}
          value={query}
          placeholder={t.addSomeone}
          autocomplete='off'
          spellcheck={false}
          role='combobox'
          aria-expanded={people.length > 0}
          aria-controls={`${id}l`}
          aria-activedescendant={people[at] === undefined ? undefined : `${id}${people[at].id}`}
          onInput={event => {
            setQuery(event.currentTarget.value)
          }}
          onKeyDown={onKeyDown}
        />
      </span>
      {asked !== '' && asked === query.trim() && !found.isLoading && people.length === 0 && (
        <small role='status'>{found.error === undefined ? texts.value.hello.nobody(asked) : why(found.error)}</small>
      )}
      <ul id={`${id}l`} role='listbox' aria-label={t.people} class='choices'>
        {people.map((user, n) => (
          <li
            key={user.id}
            id={`${id}${user.id}`}
            role='option'
            aria-selected={n === at}
            class={`item${n === at ? ' is-hover' : ''}`}
            onClick={() => {
              add(user)
            }}
          >
            <Person user={user} id={user.id} size='sm' note={`@${user.username}`} />
          </li>
        ))}
      </ul>
    </div>
  )
}
