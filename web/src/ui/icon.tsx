import { type IconName, icons } from './icons.ts'

/** A line icon; what it means is told by the text or label of what holds it. */
export function Icon ({ name, small = false, flip = false }: { name: IconName; small?: boolean; flip?: boolean }) {
  return (
    <svg class={`i${small ? ' s' : ''}${flip ? ' flip' : ''}`} viewBox='0 0 24 24' aria-hidden='true'>
      <path d={icons[name]} />
    </svg>
  )
}

/** The mark: two lines of a log, the third a wave. */
export function Logo () {
  return (
    <svg class='logo' viewBox='0 0 24 24' aria-hidden='true'>
      <path d='M4 6.5h16M4 12h9' />
      <path d='M4 17.5q2-3 4 0t4 0 4 0 4 0' />
    </svg>
  )
}

/** Somebody is typing. */
export function Swell ({ inline = false }: { inline?: boolean }) {
  return (
    <svg class={inline ? 'swell' : undefined} viewBox='0 0 28 10' aria-hidden='true'>
      <path d='M2 5q3-5 6 0t6 0 6 0 6 0' />
    </svg>
  )
}

/** An icon that can be pressed; the label is its name and its tooltip. */
export function IconButton ({
  name,
  label,
  onClick,
  small = false,
  flip = false,
  ...rest
}: {
  name: IconName
  label: string
  onClick?: (event: MouseEvent) => void
  small?: boolean
  flip?: boolean
  class?: string
  disabled?: boolean
  'aria-expanded'?: boolean
  'aria-haspopup'?: 'menu' | 'dialog'
  'aria-current'?: 'page' | undefined
  'data-act'?: string
  tabIndex?: number
  type?: 'submit' | 'button'
}) {
  const { class: extra = '', type = 'button', ...others } = rest
  return (
    <button
      type={type}
      class={`ib${small ? ' sm' : ''}${extra === '' ? '' : ` ${extra}`}`}
      aria-label={label}
      title={label}
      onClick={onClick}
      {...others}
    >
      <Icon name={name} flip={flip} />
    </button>
  )
}
