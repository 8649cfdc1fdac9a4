import type { Conversation, Message, Summary } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'
import { useReadable } from '../state/readable.ts'
import { say } from '../state/view.ts'
import { ConversationMark } from '../ui/conversation-mark.tsx'
import { Dialog, DialogHead } from '../ui/dialog.tsx'
import { Find } from '../ui/fields.tsx'

/** Where messages are passed on to: each as one of your own that says so, in their order. */
export function ForwardDialog ({ messages, onClose }: { messages: readonly Message[]; onClose: () => void }) {
  const t = texts.value.chat
  const conversations = useReadable(client.conversations)
  const [query, setQuery] = useState('')
  const found = conversations.filter(summary => mayWrite(summary) && matches(titleOf(summary), query))

  function forward ({ id }: Summary): void {
    void sendAll(client.conversation(id), messages)
    say(t.forwarded)
    onClose()
  }

  return (
    <Dialog label={t.forward} onClose={onClose}>
      <DialogHead title={t.forward} onClose={onClose} />
      <div class='pad top'>
        <Find label={t.forwardTo} placeholder={t.forwardTo} value={query} onInput={setQuery} autofocus />
      </div>
      <div class='items scroll'>
        {found.map(summary => (
          <button
            key={summary.id}
            type='button'
            class='item'
            onClick={() => {
              forward(summary)
            }}
          >
            <ConversationMark summary={summary} size='' />
            <b class='cut grow' dir='auto'>{titleOf(summary)}</b>
          </button>
        ))}
        {found.length === 0 && <p class='calm' role='status'>{texts.value.search.nothing(query)}</p>}
      </div>
    </Dialog>
  )
}

async function sendAll (to: Conversation, messages: readonly Message[]): Promise<void> {
  for (const { text, attachments } of messages) {
    await to.send(text, { forwarded: true, ...(attachments.length === 0 ? {} : { attachments }) })
  }
}

const titleOf = ({ kind, title }: Summary): string => (kind === 'common' ? texts.value.app.common : title)

const mayWrite = ({ postRole, role }: Summary): boolean => postRole !== 'moderator' || role !== 'member'

function matches (title: string, query: string): boolean {
  return title.toLocaleLowerCase().includes(query.trim().toLocaleLowerCase())
}
