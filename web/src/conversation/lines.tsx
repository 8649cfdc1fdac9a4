import type { Conversation } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { isAway } from '../state/away.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLater } from '../state/load.ts'
import { firstName, useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { Bones, Trouble } from '../ui/fields.tsx'
import { Icon, Swell } from '../ui/icon.tsx'

/** Who is typing; its room is kept when nobody does. */
export function TypingLine ({ conversation }: { conversation: Conversation }) {
  const typing = useReadable(conversation.typing)
  const first = useUser(typing[0])
  const second = useUser(typing[1])
  const t = texts.value.chat
  const names = [first, second].slice(0, typing.length).map(firstName)
  return (
    <div class='typing'>
      {typing.length > 0 && <Swell />}
      {typing.length > 0 && (
        <span class='cut' dir='auto'>
          {typing.length > 2 ? t.severalTyping : t.typing(names)}
        </span>
      )}
    </div>
  )
}

/** Offline, with nothing waiting, one calm line says so; with a queue, the line in the log does. */
export function CalmLine ({ conversation }: { conversation: Conversation }) {
  const outbox = useReadable(client.outbox)
  if (!isAway.value || outbox.some(operation => operation.conversationId === conversation.id)) return null
  return (
    <div class='calm'>
      <Icon small name='cloudOff' />
      {texts.value.chat.offline}
    </div>
  )
}

/** In place of the composer, for who may read here and not write. */
export function ClosedLine () {
  return (
    <p class='calm'>
      <Icon small name='lock' />
      {texts.value.chat.readOnly}
    </p>
  )
}

/** In place of the messages: why they cannot be loaded, or that they are being loaded. */
export function NothingYet ({ error, onRetry }: { error: unknown, onRetry: () => void }) {
  const isSlow = useLater(error === undefined, 300)
  return (
    <div class='scroll'>
      {error === undefined
        ? (
          <div class='col log'>{isSlow && <Bones />}</div>
          )
        : (
          <div class='col'>
            <Trouble text={why(error)} onRetry={onRetry} />
          </div>
          )}
    </div>
  )
}

/** Leads to the newest message, and counts those of others below. */
export function ToNewest ({ below, onClick }: { below: number, onClick: () => void }) {
  const t = texts.value.chat
  return (
    <button
      type='button'
      class={`to-new${below === 0 ? ' quiet' : ''}`}
      aria-label={below > 0 ? t.below(below) : t.toNewest}
      title={t.toNewest}
      onClick={onClick}
    >
      {below > 0 && <span class='num'>{below}</span>}
      <Icon small name='down' />
    </button>
  )
}
