import type { Message } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { Icon } from '../ui/icon.tsx'
import { useEventText, useFoldedText } from './events.ts'

/** What happened in a room: a quiet line. */
export function SystemRow ({ message }: { message: Message }) {
  return (
    <article class='msg system' tabIndex={-1} data-key={message.key}>
      <EventLine message={message} />
    </article>
  )
}

/** Many who came and went: one line that unfolds. */
export function EventsRow ({ id, messages }: { id: string; messages: readonly Message[] }) {
  const [isOpen, setOpen] = useState(false)
  const text = useFoldedText(messages)
  return (
    <article
      class='msg system'
      tabIndex={-1}
      data-key={id}
      data-keys={messages.map(({ key }) => key).join(' ')}
    >
      <button
        type='button'
        class='small muted fold'
        aria-expanded={isOpen}
        onClick={() => {
          setOpen(!isOpen)
        }}
      >
        <span dir='auto'>{text}</span>
        <Icon small name={isOpen ? 'up' : 'below'} />
      </button>
      {isOpen && messages.map(message => <EventLine key={message.key} message={message} />)}
    </article>
  )
}

function EventLine ({ message }: { message: Message }) {
  const text = useEventText(message)
  return (
    <p class='small muted' dir='auto'>
      {message.isDeleted ? texts.value.chat.deleted : text}
    </p>
  )
}
