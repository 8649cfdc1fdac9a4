import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { Icon, IconButton } from './icon.tsx'

interface FieldProps {
  label: string
  value: string
  onInput: (value: string) => void
  hint?: string | undefined
  error?: string | undefined
  type?: 'text' | 'password' | 'email' | 'url'
  autocomplete?: string
  autofocus?: boolean
  maxLength?: number
  required?: boolean
}

/** A labelled line to write in, with a hint or what is wrong below it. */
export function Field ({
  label,
  value,
  onInput,
  hint,
  error,
  type = 'text',
  autocomplete,
  autofocus = false,
  maxLength,
  required = true
}: FieldProps) {
  const id = useId()
  const [isShown, setShown] = useState(false)
  const note = error ?? hint
  const isPassword = type === 'password'
  return (
    <div class='field'>
      <label for={id}>{label}</label>
      <span class={`input${error === undefined ? '' : ' bad'}`}>
        <input
          id={id}
          value={value}
          type={(isPassword && isShown ? 'text' : type) as 'text'}
          dir={type === 'text' ? 'auto' : undefined}
          autocapitalize={autocomplete === 'name' ? 'words' : 'none'}
          spellcheck={false}
          required={required}
          {...(autocomplete === undefined ? {} : { autocomplete })}
          {...(maxLength === undefined ? {} : { maxLength })}
          aria-invalid={error !== undefined}
          {...(note === undefined ? {} : { 'aria-describedby': `${id}n` })}
          data-first={autofocus ? '' : undefined}
          onInput={event => {
            onInput(event.currentTarget.value)
          }}
        />
        {isPassword && (
          <IconButton
            small
            name={isShown ? 'eyeOff' : 'eye'}
            label={isShown ? texts.value.signIn.hidePassword : texts.value.signIn.showPassword}
            onClick={() => {
              setShown(!isShown)
            }}
          />
        )}
      </span>
      {note !== undefined && (
        <small
          id={`${id}n`}
          class={error === undefined ? undefined : 'bad'}
          role={error === undefined ? undefined : 'alert'}
        >
          {error !== undefined && <Icon small name='failed' />}
          {note}
        </small>
      )}
    </div>
  )
}

/** A search field. */
export function Find ({
  label,
  placeholder,
  value,
  onInput,
  isLarge = false,
  autofocus = false,
  onKeyDown
}: {
  label: string
  placeholder: string
  value: string
  onInput: (value: string) => void
  isLarge?: boolean
  autofocus?: boolean
  onKeyDown?: (event: KeyboardEvent) => void
}) {
  return (
    <label class={`find grow${isLarge ? ' lg' : ''}`}>
      <Icon small={!isLarge} name='search' />
      <input
        value={value}
        placeholder={placeholder}
        aria-label={label}
        type='search'
        enterkeyhint='search'
        dir='auto'
        autocomplete='off'
        spellcheck={false}
        data-first={autofocus ? '' : undefined}
        onInput={event => {
          onInput(event.currentTarget.value)
        }}
        onKeyDown={onKeyDown}
      />
      {value !== '' && (
        <IconButton
          small
          name='close'
          label={texts.value.search.clear}
          onClick={() => {
            onInput('')
          }}
        />
      )}
    </label>
  )
}

export function Switch ({
  label,
  isOn,
  onChange,
  disabled = false
}: {
  label: string
  isOn: boolean
  onChange: (on: boolean) => void
  disabled?: boolean
}) {
  return (
    <button
      type='button'
      class='switch'
      role='switch'
      aria-checked={isOn}
      aria-label={label}
      disabled={disabled}
      onClick={() => {
        onChange(!isOn)
      }}
    />
  )
}

/** One of a few, beside each other. Arrow keys choose. */
export function Segments<T extends string> ({
  label,
  value,
  options,
  onChange,
  role = 'radiogroup'
}: {
  label: string
  value: T
  options: ReadonlyArray<readonly [T, string]>
  onChange: (value: T) => void
  role?: 'radiogroup' | 'tablist'
}) {
  const isTabs = role === 'tablist'
  return (
    <div
      class='seg'
      role={role}
      aria-label={label}
      onKeyDown={event => {
        move(
          event,
          options.map(([key]) => key),
          value,
          onChange
        )
      }}
    >
      {options.map(([key, text]) => (
        <button
          key={key}
          type='button'
          role={isTabs ? 'tab' : 'radio'}
          tabIndex={key === value ? 0 : -1}
          {...(isTabs ? { 'aria-selected': key === value } : { 'aria-checked': key === value })}
          onClick={() => {
            onChange(key)
          }}
        >
          {text}
        </button>
      ))}
    </div>
  )
}

/** Arrow keys go round in a group of choices. */
export function move<T> (
  event: KeyboardEvent & { currentTarget: Element },
  keys: readonly T[],
  value: T,
  onChange: (value: T) => void
): void {
  const isRtl = document.documentElement.dir === 'rtl'
  const step = { ArrowRight: isRtl ? -1 : 1, ArrowLeft: isRtl ? 1 : -1, ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step === undefined) return
  event.preventDefault()
  const at = (keys.indexOf(value) + step + keys.length) % keys.length
  const next = keys[at]
  if (next === undefined) return
  onChange(next)
  const group = event.currentTarget
  requestAnimationFrame(() => {
    group.querySelectorAll<HTMLElement>('[role=radio], [role=tab]')[at]?.focus()
  })
}

/** Something went wrong here: what, and a way on. */
export function Trouble ({
  text,
  onRetry,
  children
}: {
  text: string
  onRetry?: () => void
  children?: ComponentChildren
}) {
  return (
    <p class='calm' role='alert'>
      <Icon small name='failed' />
      <span class='grow'>{text}</span>
      {children}
      {onRetry !== undefined && (
        <button type='button' class='btn bare sm' onClick={onRetry}>
          {texts.value.app.tryAgain}
        </button>
      )}
    </p>
  )
}

/** Rows whose content is on its way. */
export function Bones ({ rows = 5 }: { rows?: number }) {
  return (
    <div aria-hidden='true'>
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} class='item'>
          <span class='bone round' />
          <span class='grow bones'>
            <span class='bone' />
            <span class='bone long' />
          </span>
        </div>
      ))}
    </div>
  )
}
