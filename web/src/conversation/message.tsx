import type { Message, Reaction } from '@tidelog/client'
import { useEffect, useRef } from 'preact/hooks'
import { Attachments } from '../files/attachments.tsx'
import { lineOf } from '../files/kinds.ts'
import { clockTime, fullTime } from '../i18n/dates.ts'
import { texts } from '../i18n/index.ts'
import { why } from '../state/failures.ts'
import { firstName, nameOf, useUser } from '../state/people.ts'
import { isTouch } from '../state/view.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'
import { pure } from '../ui/pure.ts'
import { canPick } from './selection.tsx'
import { SystemRow } from './system-rows.tsx'
import { MessageText } from './text.tsx'

export interface MessageRowProps {
  message: Message
  isFirst: boolean
  hasMore: boolean
  /** A talk of two: no names, no avatars. */
  isDirect: boolean
  isFound: boolean
  /** Chosen, or not, while messages are being chosen. */
  isPicked: boolean | undefined
  /** The message that this one replies to, if it is loaded; null if it answers none. */
  original: Message | undefined | null
}

/**
 * A message: others' lie flat, your own float on foam. It has no listeners itself: `data-act` says what was pressed,
 * and the log acts.
 */
export const MessageRow = pure(function MessageRow (props: MessageRowProps) {
  const { message } = props
  if (message.type === 'system') return <SystemRow message={message} />
  return message.isOwn ? <OwnRow {...props} /> : <TheirRow {...props} />
})

function TheirRow ({ message, isFirst, hasMore, isDirect, isFound, isPicked, original }: MessageRowProps) {
  const user = useUser(message.senderId)
  const name = nameOf(user)
  const isNamed = !isDirect && isFirst
  return (
    <article
      class={`msg theirs ${classes({ first: isFirst, found: isFound, picked: isPicked === true })}`}
      tabIndex={-1}
      data-key={message.key}
      aria-label={texts.value.chat.from(name, clockTime(message.createdAt))}
    >
      <Pick message={message} isPicked={isPicked} />
      {isNamed && <Avatar user={user} id={message.senderId} size='md' />}
      {isNamed && (
        <div class='head'>
          <b dir='auto'>{name}</b>
          <Time at={message.createdAt} />
        </div>
      )}
      {original !== null && <Quote message={message} original={original} />}
      {message.forwarded === true && <Forwarded />}
      {message.isDeleted ? <Gone /> : <Content message={message} />}
      <Reactions message={message} />
      {isDirect && !hasMore && (
        <div class='meta'>
          <Time at={message.createdAt} />
        </div>
      )}
      {!message.isDeleted && <Tools isOwn={false} />}
    </article>
  )
}

function OwnRow ({ message, isFirst, hasMore, isFound, isPicked, original }: MessageRowProps) {
  const isWaiting = message.seq === undefined && message.status !== 'failed'
  const hasLanded = useLanded(isWaiting)
  const isFailed = message.status === 'failed'
  const state = classes({
    first: isFirst,
    more: hasMore,
    wait: isWaiting,
    failed: isFailed,
    landed: hasLanded,
    found: isFound,
    picked: isPicked === true
  })
  return (
    <article
      class={`msg own ${state}`}
      tabIndex={-1}
      data-key={message.key}
      aria-label={texts.value.chat.from(texts.value.app.you, clockTime(message.createdAt))}
    >
      <Pick message={message} isPicked={isPicked} />
      {message.isDeleted
        ? (
          <Gone />
          )
        : (
          <div class='bub'>
            {original !== null && <Quote message={message} original={original} />}
            {message.forwarded === true && <Forwarded />}
            <Content message={message} />
            <Tools isOwn isSent={message.seq !== undefined} />
          </div>
          )}
      <Reactions message={message} />
      {(!hasMore || isFailed) && <Meta message={message} />}
    </article>
  )
}

function Content ({ message }: { message: Message }) {
  return (
    <>
      {message.attachments.length > 0 && <Attachments message={message} />}
      {(message.text !== '' || message.attachments.length === 0) && <MessageText message={message} />}
    </>
  )
}

function Pick ({ message, isPicked }: { message: Message; isPicked: boolean | undefined }) {
  if (isPicked === undefined || !canPick(message)) return null
  return (
    <button
      type='button'
      class='pick'
      role='checkbox'
      aria-checked={isPicked}
      aria-label={texts.value.chat.selectThis(lineOf(message))}
    >
      <Icon small name='check' />
    </button>
  )
}

function classes (is: Record<string, boolean>): string {
  return Object.keys(is).filter(name => is[name]).join(' ')
}

/** True from the moment in which a waiting message is in the log. */
function useLanded (isWaiting: boolean): boolean {
  const wasWaiting = useRef(isWaiting)
  const landed = wasWaiting.current && !isWaiting
  useEffect(() => {
    if (isWaiting) wasWaiting.current = true
  }, [isWaiting])
  return landed
}

function Meta ({ message }: { message: Message }) {
  const t = texts.value
  if (message.status === 'failed') {
    return (
      <div class='meta'>
        <span>
          <Icon small name='failed' />
          {t.list.notSent(why(message.error))}
        </span>
        <span>
          <button type='button' class='act' data-act='retry'>
            {t.app.retry}
          </button>
          <button type='button' class='act' data-act='cancel'>
            {t.chat.delete}
          </button>
        </span>
      </div>
    )
  }
  return (
    <div class='meta'>
      <Time at={message.createdAt} />
      <Ticks message={message} />
    </div>
  )
}

export function Ticks ({ message }: { message: Message }) {
  const t = texts.value.chat
  if (message.status === 'queued' || message.status === 'sending') {
    return (
      <span role='img' aria-label={message.status === 'queued' ? t.queued : t.sending}>
        <Icon small name='clock' />
      </span>
    )
  }
  if (message.isDeleted) return null
  return message.readBy.length > 0
    ? (
      <span class='read' role='img' aria-label={t.read}>
        <Icon small name='read' />
      </span>
      )
    : (
      <span role='img' aria-label={t.sent}>
        <Icon small name='check' />
      </span>
      )
}

function Time ({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
      {clockTime(at)}
    </time>
  )
}

function Forwarded () {
  return (
    <div class='tiny muted passed-on'>
      <Icon small name='forward' />
      {texts.value.chat.forwarded}
    </div>
  )
}

function Gone () {
  return (
    <div class='gone'>
      <Icon small name='ban' />
      {texts.value.chat.deleted}
    </div>
  )
}

function Quote ({ message, original }: { message: Message; original: Message | undefined }) {
  const user = useUser(message.replyTo?.senderId ?? original?.senderId)
  const text = original === undefined ? '…' : original.isDeleted ? texts.value.chat.deleted : lineOf(original)
  return (
    <button type='button' class='quote' data-act='original'>
      <b class='cut' dir='auto'>
        {nameOf(user)}
      </b>
      <span class='cut' dir='auto'>
        {text}
      </span>
    </button>
  )
}

function Reactions ({ message }: { message: Message }) {
  if (message.reactions.length === 0) return null
  return (
    <div class='reacts'>
      {message.reactions.map(reaction => (
        <ReactionChip key={reaction.emoji} reaction={reaction} />
      ))}
    </div>
  )
}

function ReactionChip ({ reaction }: { reaction: Reaction }) {
  const first = useUser(reaction.userIds[0])
  const second = useUser(reaction.userIds[1])
  const names = [first, second].filter(user => user !== undefined).map(firstName)
  const more = reaction.count - names.length
  const told =
    more > 0 && names.length > 0 ? `${names.join(', ')}, ${texts.value.chat.everyoneElse(more)}` : names.join(', ')
  return (
    <button
      type='button'
      class='react'
      aria-pressed={reaction.mine}
      data-act='react'
      data-emoji={reaction.emoji}
      title={told}
      aria-label={texts.value.chat.reaction(reaction.emoji, reaction.count, told)}
    >
      <span>{reaction.emoji}</span>
      {reaction.count}
    </button>
  )
}

/** The actions that the pointer finds at a message; a finger gets them in a sheet. */
function Tools ({ isOwn, isSent = true }: { isOwn: boolean; isSent?: boolean }) {
  const t = texts.value.chat
  if (isTouch.value) return null
  return (
    <div class='tools' role='group' aria-label={t.actions}>
      {isSent && <IconButton small name='react' label={t.react} data-act='pick' />}
      {isSent && <IconButton small name='reply' label={t.reply} data-act='reply' />}
      {isOwn && <IconButton small name='edit' label={t.edit} data-act='edit' />}
      <IconButton small name='more' label={texts.value.app.more} data-act='menu' aria-haspopup='menu' />
    </div>
  )
}
