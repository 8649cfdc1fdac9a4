import type { Message } from '@tidelog/client'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { Icon, IconButton } from '../ui/icon.tsx'
import { copy } from './actions.tsx'
import { DeleteDialog } from './delete-dialog.tsx'

export interface Selection {
  /** The keys of the chosen messages; undefined: nothing is being chosen. */
  picked: ReadonlySet<string> | undefined
  /** In the order of the conversation. */
  messages: Message[]
  /** Chooses one, or takes it back; `isRange`: all from the last one that was chosen. */
  toggle: (message: Message, isRange?: boolean) => void
  end: () => void
}

/** Several messages of a conversation, to copy, pass on or delete. It ends when the last one is taken back. */
export function useSelection (all: readonly Message[]): Selection {
  const [picked, setPicked] = useState<ReadonlySet<string>>()
  const last = useRef<string>(undefined)
  return {
    picked,
    messages: picked === undefined ? [] : all.filter(message => picked.has(message.key) && canPick(message)),
    toggle: (message, isRange = false) => {
      if (!canPick(message)) return
      const next = new Set(picked)
      if (isRange && last.current !== undefined) {
        for (const key of between(all, last.current, message.key)) next.add(key)
      } else if (!next.delete(message.key)) next.add(message.key)
      last.current = message.key
      setPicked(next.size === 0 ? undefined : next)
    },
    end: () => {
      setPicked(undefined)
    }
  }
}

export const canPick = (message: Message): boolean => !message.isDeleted && message.type !== 'system'

/** The keys from one message to another, in whichever order, both included. */
function between (all: readonly Message[], one: string, other: string): string[] {
  const places = [one, other].map(key => all.findIndex(message => message.key === key))
  const [first = 0, last = 0] = places.sort((a, b) => a - b)
  return all.slice(Math.max(first, 0), last + 1).filter(canPick).map(message => message.key)
}

/** What one can do with the chosen messages, in the composer's place. */
export function SelectionBar ({
  messages,
  mayDelete,
  mayHide,
  onDelete,
  onForward,
  onHide,
  onEnd
}: {
  messages: Message[]
  mayDelete: (message: Message) => boolean
  mayHide: (message: Message) => boolean
  onDelete: (messages: Message[]) => void
  onForward: (messages: Message[]) => void
  onHide: (messages: Message[]) => void
  onEnd: () => void
}) {
  const t = texts.value.chat
  const [sure, setSure] = useState<'all' | 'me'>()
  const mayAll = messages.length > 0 && messages.every(mayDelete)
  const mayMe = messages.length > 0 && messages.every(mayHide)
  // Before it is painted: a key that follows at once must not be lost.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector('dialog[open]') !== null) return
      if (event.key === 'Escape') onEnd()
      else if (event.key === 'Delete' && (mayAll || mayMe)) setSure(mayAll ? 'all' : 'me')
      else return
      event.preventDefault()
      event.stopPropagation()
    }
    addEventListener('keydown', onKey, true)
    return () => {
      removeEventListener('keydown', onKey, true)
    }
  })
  return (
    <div class='picks' role='toolbar' aria-label={t.select}>
      <IconButton name='close' label={t.endSelection} onClick={onEnd} />
      <b class='grow' role='status'>
        {t.selected(messages.length)}
      </b>
      <IconButton
        name='copy'
        label={t.copy}
        onClick={() => {
          copy(messages.map(message => message.text).join('\n'))
          onEnd()
        }}
      />
      <IconButton
        name='forward'
        label={t.forward}
        disabled={messages.length === 0 || messages.some(({ seq }) => seq === undefined)}
        onClick={() => {
          onForward(messages)
          onEnd()
        }}
      />
      <IconButton
        name='eyeOff'
        label={t.deleteForMe}
        disabled={!mayMe}
        onClick={() => {
          setSure('me')
        }}
      />
      <button
        type='button'
        class='btn bare danger'
        disabled={!mayAll}
        onClick={() => {
          setSure('all')
        }}
      >
        <Icon name='trash' />
        {t.deleteForAll}
      </button>
      {sure !== undefined && (
        <DeleteDialog
          count={messages.length}
          forAll={sure === 'all'}
          onAct={() => {
            if (sure === 'all') onDelete(messages)
            else onHide(messages)
            onEnd()
          }}
          onClose={() => {
            setSure(undefined)
          }}
        />
      )}
    </div>
  )
}
