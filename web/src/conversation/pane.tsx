import type { Conversation, Message, Summary } from '@tidelog/client'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { route } from '../router.ts'
import { client } from '../state/client.ts'
import { noteTitle } from '../state/notifications.ts'
import { nameOf, useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { isTouch } from '../state/view.ts'
import { openEmoji } from '../ui/emoji.ts'
import { Lazy } from '../ui/lazy.tsx'
import type { Point } from '../ui/menu.tsx'
import { MessageActions } from './actions.tsx'
import { Composer, type Context } from './composer.tsx'
import { DeleteDialog } from './delete-dialog.tsx'
import { ForwardDialog } from './forward.tsx'
import { ConversationHead } from './head.tsx'
import { CalmLine, ClosedLine, NothingYet, ToNewest, TypingLine } from './lines.tsx'
import { type Act, LogView } from './log.tsx'
import { Outside } from './outside.tsx'
import { PinnedBar } from './pinned.tsx'
import { ReadersDialog } from './readers.tsx'
import { SelectionBar, useSelection } from './selection.tsx'
import { guess, kindOf, otherOf, titleOf } from './told-by-id.ts'
import { useLog } from './use-log.ts'
import { useWait } from './use-wait.ts'

const loadViewer = () => import('../files/viewer.tsx')

type OpenDialog =
  | { kind: 'forward'; messages: Message[] }
  | { kind: 'readers'; message: Message }
  | { kind: 'delete' | 'hide'; message: Message }

/** A conversation: its head, its messages, and where one writes. */
export function ConversationPane ({ id }: { id: string }) {
  const conversation = useMemo(() => client.conversation(id), [id])
  const summary = useReadable(conversation.summary)
  const other = useUser(summary?.userId ?? otherOf(id))
  const title = titleOf(summary?.kind ?? kindOf(id), summary?.title, other === undefined ? undefined : nameOf(other))
  useEffect(() => {
    noteTitle(id, title)
  }, [id, title])
  if (summary === undefined && kindOf(id) === 'room') return <Outside key={id} id={id} />
  return (
    <main class='pane main' aria-label={title}>
      <ConversationHead conversation={conversation} summary={summary ?? guess(id)} title={title} />
      <Talk
        key={id}
        conversation={conversation}
        title={title}
        kind={summary?.kind ?? kindOf(id)}
        summary={summary}
      />
    </main>
  )
}

function Talk ({
  conversation,
  title,
  kind,
  summary
}: {
  conversation: Conversation
  title: string
  kind: ReturnType<typeof kindOf>
  summary: Summary | undefined
}) {
  const role = summary?.role
  const isDirect = kind === 'direct'
  const at = route.value.page === 'conversation' && route.value.id === conversation.id ? route.value.seq : undefined
  const timeline = useMemo(() => conversation.timeline({ at: at ?? 'unread' }), [conversation])
  useEffect(
    () => () => {
      timeline.close()
    },
    [timeline]
  )
  const { isReady, error, again } = useReady(timeline.ready)
  const scroller = useRef<HTMLDivElement>(null)
  const log = useLog(conversation, timeline, scroller, at)
  const [context, setContext] = useState<Context>()
  const [menu, setMenu] = useState<{ message: Message; anchor: Element; at: Point | undefined }>()
  const [dialog, setDialog] = useState<OpenDialog>()
  const [viewed, setViewed] = useState<{ message: Message; index: number }>()
  const hasReads = useReadable(conversation.reads).length > 0
  const selection = useSelection(log.messages)
  const waitS = useWait(summary, log.messages)

  function endDialog (): void {
    setDialog(undefined)
  }

  function onAct (act: Act, message: Message, element: HTMLElement, more?: string, at?: Point): void {
    switch (act) {
      case 'reply':
        if (message.seq !== undefined) setContext({ kind: 'reply', message })
        break
      case 'edit':
        setContext({ kind: 'edit', message })
        break
      case 'menu':
        setMenu({ message, anchor: element, at })
        break
      case 'pick':
        if (message.seq !== undefined) {
          openEmoji(element, chosen => {
            react(message, chosen)
          })
        }
        break
      case 'react':
        react(message, more ?? '')
        break
      case 'retry':
        void conversation.retry(message)
        break
      case 'cancel':
        void conversation.cancel(message)
        break
      case 'delete':
        if (mayDelete(message)) askToDelete(message)
        break
      case 'select':
        selection.toggle(message, more === 'range')
        break
      case 'view':
        setViewed({ message, index: Number(more) })
        break
      case 'original':
        void log.toSeq(message.replyTo?.seq ?? 0)
        break
    }
  }

  function react (message: Message, emoji: string): void {
    const mine = message.reactions.some(reaction => reaction.emoji === emoji && reaction.mine)
    void conversation.react(message, emoji, !mine)
  }

  const mayDelete = (message: Message): boolean =>
    message.isOwn || (message.seq !== undefined && isLeading)

  const pins = useReadable(conversation.pins)
  const isLeading = role === 'owner' || role === 'moderator'
  const isClosed = summary?.postRole === 'moderator' && !isLeading
  const mayPin = isDirect || isLeading || (kind === 'common' && client.session.get().user?.isAdmin === true)

  function pinOf (message: Message) {
    const isPinned = pins.some(({ id }) => id === message.id)
    return mayPin ? { isPinned, act: () => { void conversation.pin(message, !isPinned) } } : undefined
  }

  /** In the common chat nothing can be taken away for oneself. */
  const mayHide = (message: Message): boolean => message.seq !== undefined && kind !== 'common'

  /** What was not sent yet can be written again: it goes at once. */
  function askToDelete (message: Message): void {
    if (message.seq === undefined) void conversation.delete(message)
    else setDialog({ kind: 'delete', message })
  }

  function remove (kind: 'delete' | 'hide', message: Message): void {
    void (kind === 'delete' ? conversation.delete(message) : conversation.hide([message]))
    toComposer()
  }

  function editLast (): void {
    const last = timeline.messages
      .get()
      .findLast(message => message.isOwn && !message.isDeleted && message.text !== '')
    if (last !== undefined) setContext({ kind: 'edit', message: last })
  }

  return (
    <>
      <PinnedBar
        conversation={conversation}
        mayPin={mayPin}
        onShow={message => { void log.toSeq(message.seq ?? 0) }}
      />
      {log.messages.length === 0 && (error !== undefined || !isReady)
        ? (
          <NothingYet error={error} onRetry={again} />
          )
        : (
          <LogView
            timeline={timeline}
            log={log}
            scroller={scroller}
            onAct={onAct}
            isDirect={isDirect}
            picked={selection.picked}
          />
          )}
      <div class='send col'>
        {!log.isAtEnd && log.messages.length > 0 && <ToNewest below={log.below} onClick={log.toNewest} />}
        <TypingLine conversation={conversation} />
        <CalmLine conversation={conversation} />
        {selection.picked === undefined
          ? isClosed && context?.kind !== 'edit'
            ? (
              <ClosedLine />
              )
            : (
              <Composer
                conversation={conversation}
                title={title}
                context={context}
                waitS={waitS}
                onContext={setContext}
                onEditLast={editLast}
                onSent={log.toNewest}
              />
              )
          : (
            <SelectionBar
              messages={selection.messages}
              mayDelete={mayDelete}
              mayHide={mayHide}
              onDelete={messages => {
                for (const message of messages) void conversation.delete(message)
              }}
              onForward={messages => {
                setDialog({ kind: 'forward', messages })
              }}
              onHide={messages => {
                void conversation.hide(messages)
              }}
              onEnd={() => {
                selection.end()
                toComposer()
              }}
            />
            )}
      </div>
      {menu !== undefined && (
        <MessageActions
          message={menu.message}
          anchor={menu.anchor}
          at={menu.at}
          isSheet={isTouch.value}
          mayDelete={mayDelete(menu.message)}
          pin={pinOf(menu.message)}
          mayHide={mayHide(menu.message)}
          onClose={() => {
            setMenu(undefined)
          }}
          onReact={emoji => {
            react(menu.message, emoji)
          }}
          onReply={() => {
            setContext({ kind: 'reply', message: menu.message })
          }}
          onEdit={() => {
            setContext({ kind: 'edit', message: menu.message })
          }}
          onDelete={() => {
            askToDelete(menu.message)
          }}
          onHide={() => {
            setDialog({ kind: 'hide', message: menu.message })
          }}
          onForward={() => {
            setDialog({ kind: 'forward', messages: [menu.message] })
          }}
          onReaders={
            kind === 'room' && hasReads
              ? () => {
                  setDialog({ kind: 'readers', message: menu.message })
                }
              : undefined
          }
          onSelect={() => {
            selection.toggle(menu.message)
          }}
        />
      )}
      {viewed !== undefined && (
        <Lazy
          load={loadViewer}
          messages={log.messages}
          start={viewed}
          title={title}
          onClose={() => { setViewed(undefined) }}
        />
      )}
      {dialog?.kind === 'forward' && <ForwardDialog messages={dialog.messages} onClose={endDialog} />}
      {dialog?.kind === 'readers' && (
        <ReadersDialog conversation={conversation} message={dialog.message} onClose={endDialog} />
      )}
      {(dialog?.kind === 'delete' || dialog?.kind === 'hide') && (
        <DeleteDialog
          count={1}
          forAll={dialog.kind === 'delete'}
          onAct={() => {
            remove(dialog.kind, dialog.message)
          }}
          onClose={endDialog}
        />
      )}
    </>
  )
}

/** Once the dialog that is open has given the focus back. */
function toComposer (): void {
  requestAnimationFrame(() => document.getElementById('composer')?.focus())
}

function useReady (ready: Promise<void>): { isReady: boolean; error: unknown; again: () => void } {
  const [state, setState] = useState<{ isReady: boolean; error: unknown }>({ isReady: false, error: undefined })
  useEffect(() => {
    let isShown = true
    ready.then(
      () => {
        if (isShown) setState({ isReady: true, error: undefined })
      },
      (error: unknown) => {
        if (isShown) setState({ isReady: false, error })
      }
    )
    return () => {
      isShown = false
    }
  }, [ready])
  return {
    ...state,
    again: () => {
      location.reload()
    }
  }
}
