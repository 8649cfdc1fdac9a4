import type { ComponentChildren, RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { IconButton } from './icon.tsx'

/** Shows the dialog over the page as long as it is there; then the focus goes back to where it was. */
export function useModal (element: RefObject<HTMLDialogElement | null>, back?: FocusOptions): void {
  useLayoutEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    return () => {
      element.current?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus(back)
    }
  }, [])
}

/** A dialog over the page: the browser keeps focus inside, Escape and a press beside it close it, focus goes back. */
export function Dialog ({
  label,
  onClose,
  children,
  look = ''
}: {
  label: string
  onClose: () => void
  children: ComponentChildren
  look?: 'wide' | 'sheet' | ''
}) {
  const element = useRef<HTMLDialogElement>(null)
  useModal(element)
  useEffect(() => {
    element.current?.querySelector<HTMLElement>('[data-first]')?.focus()
  }, [])
  return (
    <dialog
      ref={element}
      class='scrim'
      aria-label={label}
      onCancel={event => {
        event.preventDefault()
        onClose()
      }}
      onClick={event => {
        if (event.target === element.current) onClose()
      }}
    >
      {look === 'sheet'
        ? (
          <div class='sheet'>{children}</div>
          )
        : (
          <section class={`dialog${look === '' ? '' : ` ${look}`}`}>{children}</section>
          )}
    </dialog>
  )
}

export function DialogHead ({ title, onClose }: { title: string; onClose: () => void }) {
  return (
    <header class='bar'>
      <h2 class='grow'>{title}</h2>
      <IconButton name='close' label={texts.value.app.close} onClick={onClose} />
    </header>
  )
}

/** The end of a dialog: what it does, beside a way out. */
export function DialogFoot ({
  aside,
  onClose,
  children
}: {
  aside?: ComponentChildren
  onClose: () => void
  children: ComponentChildren
}) {
  return (
    <footer class='foot'>
      {aside}
      <span class='grow' />
      <button type='button' class='btn bare' onClick={onClose}>
        {texts.value.app.cancel}
      </button>
      {children}
    </footer>
  )
}

/** Asks before what cannot be taken back. */
export function Confirm ({
  question,
  act,
  onAct,
  onClose
}: {
  question: string
  act: string
  onAct: () => void
  onClose: () => void
}) {
  return (
    <Dialog label={question} onClose={onClose}>
      <p class='form'>{question}</p>
      <DialogFoot onClose={onClose}>
        <button
          type='button'
          class='btn line danger'
          data-first
          onClick={() => {
            onClose()
            onAct()
          }}
        >
          {act}
        </button>
      </DialogFoot>
    </Dialog>
  )
}
