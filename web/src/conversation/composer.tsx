import type { Conversation, Message } from '@tidelog/client'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { AttachButton } from '../files/attach.tsx'
import { lineOf } from '../files/kinds.ts'
import { useDrop } from '../files/use-drop.ts'
import { useChosenFiles } from '../files/use-files.ts'
import { texts } from '../i18n/index.ts'
import { why } from '../state/failures.ts'
import { nameOf, useUser } from '../state/people.ts'
import { enterSends, tellTyping } from '../state/preferences.ts'
import { isTouch } from '../state/view.ts'
import { openEmoji } from '../ui/emoji.ts'
import { IconButton } from '../ui/icon.tsx'
import { Lazy } from '../ui/lazy.tsx'
import { completionAt, mentionId, MentionList, mentionListId, mentionsIn, useMentionable } from './mentions.tsx'

/** What the next send is about: an answer to a message, or another text for one of your own. */
export interface Context {
  kind: 'reply' | 'edit'
  message: Message
}

const loadTray = () => import('../files/tray.tsx')

/** Characters, as the server counts them. */
const textMax = 4_000

/** Where one writes. What is begun stays with the conversation until it is sent. */
export function Composer ({
  conversation,
  title,
  context,
  waitS,
  onContext,
  onEditLast,
  onSent
}: {
  conversation: Conversation
  title: string
  context: Context | undefined
  /** Seconds until the room takes another message; 0: now. */
  waitS: number
  onContext: (context: Context | undefined) => void
  onEditLast: () => void
  /** A message went to the outbox: its author wants to see it. */
  onSent: () => void
}) {
  const t = texts.value.chat
  const area = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState(conversation.draft.get())
  const [caret, setCaret] = useState(text.length)
  const people = useMentionable(conversation)
  const completion = completionAt(text, caret, people)
  const [chosen, setChosen] = useState(0)
  const [isClosed, setClosed] = useState(false)
  const suggested = isClosed ? undefined : completion?.people
  const [error, setError] = useState<string>()
  const surplus = [...text].length - textMax
  const editing = context?.kind === 'edit' ? context.message : undefined
  const mustWait = waitS > 0 && editing === undefined
  const files = useChosenFiles(conversation.id)
  const takesFiles = editing === undefined
  const addFiles = useCallback(files.add, [conversation.id])
  useDrop(area, takesFiles ? addFiles : undefined)
  const hasContent = /\S/u.test(text) || (takesFiles && files.chosen.length > 0) || (editing?.attachments.length ?? 0) > 0
  const canSend = hasContent && surplus <= 0 && !mustWait

  // A draft may arrive from another tab; it must not replace what is being written here.
  useEffect(
    () =>
      conversation.draft.subscribe(draft => {
        if (document.activeElement !== area.current && context?.kind !== 'edit') setText(draft)
      }),
    [conversation]
  )

  useLayoutEffect(() => {
    if (editing !== undefined) write(editing.text)
    if (context !== undefined) area.current?.focus()
  }, [context])

  useLayoutEffect(() => {
    if (area.current !== null && !CSS.supports('field-sizing', 'content')) {
      area.current.style.height = 'auto'
      area.current.style.height = `${area.current.scrollHeight}px`
    }
  }, [text])

  function write (value: string, at = value.length): void {
    setText(value)
    setCaret(at)
    setChosen(0)
    requestAnimationFrame(() => {
      area.current?.setSelectionRange(at, at)
    })
  }

  function onInput (event: Event & { currentTarget: HTMLTextAreaElement }): void {
    const { value, selectionStart } = event.currentTarget
    setText(value)
    setCaret(selectionStart)
    setChosen(0)
    setClosed(false)
    if (editing !== undefined) return
    conversation.draft.set(value)
    if (tellTyping.value) conversation.setTyping(value !== '')
  }

  function complete (username: string): void {
    if (completion === undefined) return
    const start = `${text.slice(0, completion.start)}@${username} `
    const whole = start + text.slice(caret).replace(/^ /, '')
    if (editing === undefined) conversation.draft.set(whole)
    write(whole, start.length)
    area.current?.focus()
  }

  function submit (): void {
    if (!canSend) return
    setError(undefined)
    const mentions = mentionsIn(text, people)
    if (editing !== undefined) {
      if (text !== editing.text) {
        conversation.edit(editing, text, { mentions }).catch((failure: unknown) => {
          notStored(text, failure)
        })
      }
    } else {
      // Ends the draft too, once the message is stored: a page that dies meanwhile loses nothing.
      const taken = files.take()
      Promise.all(taken.map(({ prepared }) => prepared))
        .then(prepared => conversation.send(text, {
          mentions, files: prepared, ...(context === undefined ? {} : { replyTo: context.message })
        }))
        .then(() => {
          files.free(taken)
          onSent()
        }, (failure: unknown) => {
          if (taken.length > 0) files.giveBack(taken)
          notStored(text, failure)
        })
    }
    leave()
    area.current?.focus()
  }

  /** This device could not keep it: it stays here, unless something else was begun meanwhile. */
  function notStored (lost: string, failure: unknown): void {
    setError(why(failure))
    if (area.current?.value === '') write(lost)
  }

  /** Ends the reply or edit; after an edit, what was begun before is there again. */
  function leave (): void {
    write(editing === undefined ? '' : conversation.draft.get())
    onContext(undefined)
  }

  function onKeyDown (event: KeyboardEvent): void {
    // While an input method composes, Enter and the arrows are its own; 229 is what Safari says then.
    if (event.isComposing || event.keyCode === 229) return
    const list = isClosed ? undefined : completion
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (list !== undefined && step !== undefined) setChosen((chosen + step + list.people.length) % list.people.length)
    else if (list !== undefined && (event.key === 'Enter' || event.key === 'Tab')) {
      complete(list.people[chosen]?.username ?? '')
    } else if (list !== undefined && event.key === 'Escape') setClosed(true)
    else if (event.key === 'Escape' && context !== undefined) leave()
    else if (event.key === 'ArrowUp' && text === '' && context === undefined) onEditLast()
    else if (
      event.key === 'Enter' &&
      !event.shiftKey &&
      ((enterSends.value && !isTouch.value) || event.ctrlKey || event.metaKey)
    ) { submit() } else if (event.key === 'e' && event.ctrlKey) pickEmoji(event.currentTarget as Element)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  /** A picture that was copied; a text with pictures, as of a page, stays a text. */
  function onPaste (event: ClipboardEvent): void {
    const pasted = event.clipboardData
    if (pasted === null || !takesFiles || pasted.files.length === 0 || pasted.types.includes('text/plain')) return
    event.preventDefault()
    addFiles(pasted.files)
  }

  function pickEmoji (anchor: Element): void {
    openEmoji(anchor, emoji => {
      const start = text.slice(0, caret) + emoji
      const whole = start + text.slice(caret)
      if (editing === undefined) conversation.draft.set(whole)
      write(whole, start.length)
      area.current?.focus()
    })
  }

  return (
    <form
      class='composer'
      onSubmit={event => {
        event.preventDefault()
        submit()
      }}
    >
      {suggested !== undefined && <MentionList people={suggested} chosen={chosen} onChoose={complete} />}
      {context !== undefined && <ContextLine context={context} onLeave={leave} />}
      {takesFiles && files.chosen.length > 0 && <Lazy load={loadTray} files={files} />}
      {takesFiles ? <AttachButton onFiles={addFiles} /> : <span />}
      <textarea
        ref={area}
        rows={1}
        dir='auto'
        value={text}
        placeholder={t.placeholder(title)}
        aria-label={t.message}
        {...(suggested === undefined
          ? {}
          : { 'aria-controls': mentionListId, 'aria-activedescendant': mentionId(suggested[chosen] ?? suggested[0]!) })}
        aria-autocomplete='list'
        enterkeyhint={enterSends.value && !isTouch.value ? 'send' : 'enter'}
        id='composer'
        onInput={onInput}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
        onSelect={event => {
          setCaret(event.currentTarget.selectionStart)
        }}
        onBlur={() => {
          conversation.setTyping(false)
        }}
      />
      <IconButton
        name='smile'
        label={t.emoji}
        onClick={event => {
          pickEmoji(event.currentTarget as Element)
        }}
        aria-haspopup='dialog'
      />
      <IconButton name='send' label={t.send} class='go' type='submit' disabled={!canSend} />
      {(error ?? files.error) !== undefined && (
        <span class='tiny surplus' role='alert'>
          {error ?? files.error}
        </span>
      )}
      {mustWait && (
        <span class='tiny muted wait-s' role='timer'>
          {t.slowMode(waitS)}
        </span>
      )}
      {surplus > 0 && (
        <span class='tiny surplus' role='status'>
          {t.tooLong(surplus)}
        </span>
      )}
    </form>
  )
}

function ContextLine ({ context, onLeave }: { context: Context; onLeave: () => void }) {
  const t = texts.value.chat
  const user = useUser(context.message.senderId)
  const isEdit = context.kind === 'edit'
  return (
    <div class='ctx'>
      <span class='grow'>
        <span class='quote'>
          <b class='cut'>{isEdit ? t.editing : t.replyTo(nameOf(user))}</b>
          <span class='cut' dir='auto'>
            {lineOf(context.message)}
          </span>
        </span>
      </span>
      <IconButton small name='close' label={isEdit ? t.noEdit : t.noReply} onClick={onLeave} />
    </div>
  )
}
