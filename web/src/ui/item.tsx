import type { ComponentChildren } from 'preact'
import { Switch } from './fields.tsx'
import { Icon } from './icon.tsx'
import type { IconName } from './icons.ts'

interface ItemProps {
  icon?: IconName
  text: string
  hint?: string | undefined
  /** All of it is a button. */
  onClick?: () => void
  /** An arrow says that there is more behind it. */
  opens?: boolean
  /** The text may be longer than the line. */
  isLong?: boolean
  /** A narrow screen puts what stands at the end below the text. */
  wraps?: boolean
  /** It takes away what cannot be brought back. */
  isDanger?: boolean
  /** What stands at its end. */
  children?: ComponentChildren
}

/** A line of a box: an icon, a text with a hint below it, and what can be done. */
export function Item (props: ItemProps) {
  const { icon, text, hint, onClick, opens = false, isLong = false, wraps = false, isDanger = false, children } = props
  const cut = isLong ? undefined : 'cut'
  const content = (
    <>
      {icon !== undefined && <Icon name={icon} />}
      <span class='grow'>
        <b class={cut}>{text}</b>
        {hint !== undefined && <small class={wraps ? undefined : cut}>{hint}</small>}
      </span>
      {children}
      {opens && <Icon small flip name='next' />}
    </>
  )
  const look = `item${wraps ? ' wrap' : ''}${isDanger ? ' danger' : ''}`
  if (onClick === undefined) return <div class={look}>{content}</div>
  return (
    <button type='button' class={look} onClick={onClick}>
      {content}
    </button>
  )
}

interface SwitchItemProps extends Omit<ItemProps, 'onClick' | 'opens' | 'children'> {
  isOn: boolean
  disabled?: boolean
  onChange: (on: boolean) => void
}

/** A line with a switch at its end. */
export function SwitchItem ({ isOn, disabled = false, onChange, ...item }: SwitchItemProps) {
  return (
    <Item {...item}>
      <Switch label={item.text} isOn={isOn} disabled={disabled} onChange={onChange} />
    </Item>
  )
}

/** A box of lines with a title. */
export function Box ({ title, children }: { title: string, children: ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      <div class='box'>{children}</div>
    </section>
  )
}
