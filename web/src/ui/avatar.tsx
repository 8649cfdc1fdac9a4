import type { User } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { hueOf, initials, nameOf } from '../state/people.ts'
import { usePresence } from '../state/presence.ts'
import { Icon } from './icon.tsx'
import type { IconName } from './icons.ts'

type Size = 'xs' | 'sm' | 'md' | 'lg' | 'xl' | ''

/**
 * A person's picture or initials, with presence if asked for. Beside a name it is decoration: without `isNamed`, screen
 * readers pass over it.
 */
export function Avatar ({
  user,
  id,
  size = '',
  withPresence = false,
  isNamed = false
}: {
  user: User | undefined
  id: string
  size?: Size
  withPresence?: boolean
  isNamed?: boolean
}) {
  const presence = usePresence(withPresence ? id : undefined)
  const [isBroken, setBroken] = useState('')
  const isHere = presence?.status === 'online'
  const name = nameOf(user)
  const picture = user?.picture ?? ''
  const label = isHere ? texts.value.presence.here(name) : name
  const named = isNamed || isHere ? { role: 'img' as const, 'aria-label': label } : { 'aria-hidden': true as const }
  return (
    <span class={`av ${hueOf(id)}${size === '' ? '' : ` ${size}`}`} {...named}>
      {picture !== '' && picture !== isBroken && picture.startsWith('https:')
        ? (
          <img
            src={picture}
            alt=''
            loading='lazy'
            decoding='async'
            referrerpolicy='no-referrer'
            onError={() => {
              setBroken(picture)
            }}
          />
          )
        : (
          <span aria-hidden='true'>{initials(name)}</span>
          )}
      {isHere && <i class='dot here' />}
    </span>
  )
}

/** A room's grey square. */
export function RoomMark ({
  kind,
  isPrivate = false,
  size = ''
}: {
  kind: 'room' | 'common' | 'all'
  isPrivate?: boolean
  size?: Size
}) {
  const icon: IconName = kind === 'common' ? 'common' : kind === 'all' ? 'compass' : isPrivate ? 'lock' : 'hash'
  return (
    <span class={`av room${size === '' ? '' : ` ${size}`}`} aria-hidden='true'>
      <Icon name={icon} />
    </span>
  )
}
