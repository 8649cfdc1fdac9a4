import { Fragment } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon } from './icon.tsx'
import type { IconName } from './icons.ts'

export interface MenuItem {
  icon: IconName
  text: string
  act?: () => void
  /** What is shown in its place when it is pressed. */
  more?: MenuItem[]
  isDanger?: boolean
  /** A line above. */
  isApart?: boolean
}

/** Pixels in the window. */
export interface Point { x: number; y: number }

/** Where the pointer asked for a menu; undefined: a key did. */
export function pointOf (event: MouseEvent): Point | undefined {
  return event.type === 'contextmenu' && event.button === 2 ? { x: event.clientX, y: event.clientY } : undefined
}

/** A menu beside what opened it; in the top layer, so that nothing cuts it off. */
export function Menu ({
  anchor,
  at,
  items,
  label,
  onClose
}: {
  anchor: Element
  /** Where the pointer asked for it. */
  at?: Point | undefined
  items: MenuItem[]
  label: string
  onClose: () => void
}) {
  const element = useRef<HTMLDivElement>(null)
  const [more, setMore] = useState<MenuItem[]>()
  useLayoutEffect(() => {
    const menu = element.current
    if (menu === null) return
    menu.showPopover()
    place(menu, anchor, at)
    menu.querySelector('button')?.focus()
    return () => {
      if (anchor instanceof HTMLElement && anchor.isConnected) anchor.focus({ preventScroll: true })
    }
  }, [anchor])
  useLayoutEffect(() => {
    if (element.current === null || more === undefined) return
    place(element.current, anchor, at)
    element.current.querySelector('button')?.focus()
  }, [more])
  useEffect(() => {
    const outside = (event: Event) => {
      if (!(event.target instanceof Node && element.current?.contains(event.target) === true)) onClose()
    }
    document.addEventListener('pointerdown', outside, true)
    document.addEventListener('scroll', outside, true)
    return () => {
      document.removeEventListener('pointerdown', outside, true)
      document.removeEventListener('scroll', outside, true)
    }
  }, [onClose])

  function onKeyDown (event: KeyboardEvent) {
    const buttons = [...(element.current?.querySelectorAll('button') ?? [])]
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
    if (to !== undefined) buttons.at(to % buttons.length)?.focus()
    else if (event.key !== 'Escape' && event.key !== 'Tab') return
    else onClose()
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div ref={element} class='menu' popover='manual' role='menu' aria-label={label} onKeyDown={onKeyDown}>
      <MenuEntries items={more ?? items} role='menuitem' onMore={setMore} onClose={onClose} />
    </div>
  )
}

/** The entries of a menu, or of a sheet. */
export function MenuEntries ({
  items,
  role,
  onMore,
  onClose
}: {
  items: MenuItem[]
  role?: 'menuitem'
  onMore?: (items: MenuItem[]) => void
  onClose: () => void
}) {
  return (
    <>
      {items.map(item => (
        <Fragment key={item.text}>
          {item.isApart === true && <hr />}
          <button
            type='button'
            role={role}
            class={item.isDanger === true ? 'danger' : undefined}
            onClick={() => {
              if (item.more !== undefined) onMore?.(item.more)
              else onClose()
              item.act?.()
            }}
          >
            <Icon name={item.icon} />
            <span class='grow'>{item.text}</span>
            {item.more !== undefined && <Icon small flip name='next' />}
          </button>
        </Fragment>
      ))}
    </>
  )
}

/** Below its anchor, ending with it, or beside a point; above if there is no room, and never outside of the window. */
export function place (popup: HTMLElement, anchor: Element, at?: Point): void {
  const { left: start, right: end, top: over, bottom: under } = at === undefined
    ? anchor.getBoundingClientRect()
    : new DOMRect(at.x, at.y)
  const { offsetWidth: width, offsetHeight: height } = popup
  const gap = at === undefined ? 4 : 0
  const below = under + gap
  const top = below + height > innerHeight - 8 ? Math.max(8, over - gap - height) : below
  // Under a button it ends with the button; from the pointer it begins.
  const isLeft = (document.documentElement.dir === 'rtl') === (at === undefined)
  const left = isLeft ? start : end - width
  popup.style.top = `${top}px`
  popup.style.left = `${Math.min(Math.max(8, left), innerWidth - width - 8)}px`
}
