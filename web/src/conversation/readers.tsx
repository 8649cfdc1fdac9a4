import type { Conversation, Message } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { Dialog, DialogHead } from '../ui/dialog.tsx'
import { Person } from '../ui/person.tsx'

/** Who has read a message of a room, as far as the server tells read positions there. */
export function ReadersDialog ({
  conversation,
  message,
  onClose
}: {
  conversation: Conversation
  message: Message
  onClose: () => void
}) {
  const t = texts.value.chat
  const reads = useReadable(conversation.reads)
  const readers = reads.filter(({ seq, userId }) => seq >= (message.seq ?? Infinity) && userId !== message.senderId)
  return (
    <Dialog label={t.readBy} onClose={onClose}>
      <DialogHead title={t.readBy} onClose={onClose} />
      <div class='items scroll'>
        {readers.length === 0 && <p class='small muted pad'>{t.readByNobody}</p>}
        {readers.map(({ userId }) => (
          <Reader key={userId} userId={userId} />
        ))}
      </div>
    </Dialog>
  )
}

function Reader ({ userId }: { userId: string }) {
  const user = useUser(userId)
  return (
    <div class='item'>
      <Person user={user} id={userId} note={user === undefined ? '' : `@${user.username}`} withPresence />
    </div>
  )
}
