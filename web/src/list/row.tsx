import type { Message, Operation, Summary } from '@tidelog/client'
import { useMemo } from 'preact/hooks'
import { lineOf } from '../files/kinds.ts'
import { shortWhen } from '../i18n/dates.ts'
import { useEventText } from '../conversation/events.ts'
import { texts } from '../i18n/index.ts'
import { paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { firstName, nameOf, useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { ConversationMark } from '../ui/conversation-mark.tsx'
import { Icon, IconButton, Swell } from '../ui/icon.tsx'
import type { IconName } from '../ui/icons.ts'
import { pure } from '../ui/pure.ts'
import { Ticks } from '../conversation/message.tsx'
import { isMuted } from '../conversation/setting-items.ts'
import { oneLine } from '../conversation/tokens.ts'
import { isTouch } from '../state/view.ts'

/** A conversation in the list: who, when, and the most pressing of typing, failed, draft, last message. */
export const ConversationRow = pure(function ConversationRow ({
  summary,
  isCurrent,
  failed,
  isWide
}: {
  summary: Summary
  isCurrent: boolean
  failed: Operation | undefined
  isWide: boolean
}) {
  const t = texts.value
  const other = useUser(summary.userId)
  const title =
    summary.kind === 'common'
      ? t.app.common
      : summary.kind === 'direct'
        ? other === undefined
          ? summary.title
          : nameOf(other)
        : summary.title
  const isSilent = isMuted(summary)
  const isNew = (summary.unreadCount > 0 || summary.settings.markedUnread) && !isSilent && summary.kind !== 'common'
  return (
    <li data-id={summary.id}>
      <a
        class={`row${isNew ? ' new' : ''}${failed === undefined ? '' : ' fail'}`}
        href={paths.conversation(summary.id).slice(1)}
        aria-current={isCurrent ? 'page' : undefined}
      >
        <ConversationMark summary={summary} size={isWide ? '' : 'lg'} />
        <span>
          <span class='l'>
            <b class='cut grow' dir='auto'>
              {title}
            </b>
            {summary.lastActivityAt > 0 && (
              <time dateTime={new Date(summary.lastActivityAt).toISOString()}>
                {shortWhen(summary.lastActivityAt)}
              </time>
            )}
          </span>
          <span class='l'>
            <Preview summary={summary} failed={failed} />
            {isSilent && <Flag icon='muted' label={t.settle.muted} />}
            {summary.settings.pinnedAt !== null && <Flag icon='pin' label={t.settle.pinned} />}
            <Badge summary={summary} isMuted={isSilent} />
          </span>
        </span>
      </a>
      {!isTouch.value && (
        <IconButton
          small
          name='more'
          label={t.settle.of(title)}
          class='row-more'
          aria-haspopup='menu'
          data-act='menu'
          // The row's own menu key opens the same.
          tabIndex={-1}
        />
      )}
    </li>
  )
})

function Preview ({ summary, failed }: { summary: Summary; failed: Operation | undefined }) {
  const t = texts.value.list
  const typing = useReadable(useMemo(() => client.conversation(summary.id), [summary.id]).typing)
  const typist = useUser(typing[0])
  if (typing.length > 0) {
    const text = summary.kind === 'direct' ? t.typing : t.someoneTyping(firstName(typist))
    return (
      <span class='p cut'>
        <span class='draft'>
          {text} <Swell inline />
        </span>
      </span>
    )
  }
  if (failed !== undefined) {
    return (
      <>
        <span class='p cut'>{t.notSent(why(failed.error))}</span>
        <span class='bad'>
          <Icon small name='failed' />
        </span>
      </>
    )
  }
  if (summary.draft !== undefined && summary.draft.trim() !== '') {
    return (
      <>
        <span class='draft'>{t.draft}</span>
        <span class='p cut' dir='auto'>
          {summary.draft}
        </span>
      </>
    )
  }
  if (summary.lastMessage === undefined) {
    return <span class='p cut'>{summary.kind === 'common' ? texts.value.app.commonHint : ''}</span>
  }
  return <LastMessage message={summary.lastMessage} isDirect={summary.kind === 'direct'} />
}

function LastMessage ({ message, isDirect }: { message: Message; isDirect: boolean }) {
  const t = texts.value.list
  const sender = useUser(message.senderId)
  const event = useEventText(message)
  if (message.isDeleted) {
    return (
      <span class='p cut'>
        <em>{t.deleted}</em>
      </span>
    )
  }
  const text = message.type === 'system' ? oneLine(event) : lineOf(message)
  const shown =
    isDirect || message.type === 'system'
      ? text
      : message.isOwn
        ? t.youPreview(text)
        : t.preview(firstName(sender), text)
  return (
    <>
      <span class='p cut' dir='auto'>
        {shown}
      </span>
      {message.isOwn && message.type !== 'system' && <Ticks message={message} />}
    </>
  )
}

function Flag ({ icon, label }: { icon: IconName; label: string }) {
  return (
    <span class='flag' role='img' aria-label={label}>
      <Icon small name={icon} />
    </span>
  )
}

function Badge ({ summary, isMuted }: { summary: Summary; isMuted: boolean }) {
  const t = texts.value.list
  if (summary.mentionCount > 0) {
    return (
      <span class='badge' role='img' aria-label={t.mentioned}>
        @
      </span>
    )
  }
  if (summary.unreadCount === 0 && summary.settings.markedUnread) {
    return <span class={`badge mark${isMuted ? ' quiet' : ''}`} role='img' aria-label={texts.value.settle.marked} />
  }
  if (summary.unreadCount === 0 || summary.kind === 'common') return null
  const count = summary.unreadCount > 999 ? '999+' : String(summary.unreadCount)
  return (
    <span class={`badge${isMuted ? ' quiet' : ''}`} role='img' aria-label={t.unread(summary.unreadCount)}>
      {count}
    </span>
  )
}
