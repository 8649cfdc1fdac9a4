import type { User } from '@tidelog/client'
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { hueOf, initials, nameOf } from '../state/people.ts'
import { usePresence } from '../state/presence.ts'
import { Icon } from './icon.tsx'
import type { IconName } from './icons.ts'

export type Size = 'xs' | 'sm' | 'md' | 'lg' | 'xl' | ''

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
  const isHere = presence?.status === 'online'
  const name = nameOf(user)
  const label = isHere ? texts.value.presence.here(name) : name
  const named = isNamed || isHere ? { role: 'img' as const, 'aria-label': label } : { 'aria-hidden': true as const }
  return (
    <span class={`av ${hueOf(id)}${size === '' ? '' : ` ${size}`}`} {...named}>
      <Picture address={user?.picture}>
        <span aria-hidden='true'>{initials(name)}</span>
      </Picture>
      {isHere && <i class='dot here' />}
    </span>
  )
}

/** A room's picture, or its grey square. */
export function RoomMark ({
  kind,
  isPrivate = false,
  picture,
  size = ''
}: {
  kind: 'room' | 'common' | 'all'
  isPrivate?: boolean
  picture?: string | null | undefined
  size?: Size
}) {
  const icon: IconName = kind === 'common' ? 'common' : kind === 'all' ? 'compass' : isPrivate ? 'lock' : 'hash'
  return (
    <span class={`av room${size === '' ? '' : ` ${size}`}`} aria-hidden='true'>
      <Picture address={picture}>
        <Icon name={icon} />
      </Picture>
    </span>
  )
}

/** Addresses whose picture the browser has: it is shown at once when its place is drawn again. */
const shown = new Set<string>()

/** A picture; while it loads, and if it cannot, what stands for it. */
function Picture ({ address, children }: { address: string | null | undefined, children: ComponentChildren }) {
  const [, setEnd] = useState<string>()
  const [broken, setBroken] = useState<string>()
  useEffect(() => {
    if (broken === undefined) return
    const again = () => {
      setBroken(undefined)
    }
    addEventListener('online', again)
    return () => {
      removeEventListener('online', again)
    }
  }, [broken])
  if (!isAddress(address) || broken === address) return <>{children}</>
  return (
    <>
      {!shown.has(address) && children}
      <img
        key={address}
        src={address}
        alt=''
        loading='lazy'
        decoding='async'
        referrerpolicy='no-referrer'
        draggable={false}
        onLoad={() => {
          shown.add(address)
          setEnd(address)
        }}
        onError={() => {
          setBroken(address)
        }}
      />
    </>
  )
}

/** What the page's policy lets load: from this server, or over TLS. */
function isAddress (address: string | null | undefined): address is string {
  if (address == null) return false
  return /^(https:|\/[^/])/.test(address) || address.startsWith(`${location.origin}/`)
}
