import type { User } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLoad } from '../state/load.ts'
import { Dialog, DialogHead } from '../ui/dialog.tsx'
import { Bones, Trouble } from '../ui/fields.tsx'
import { PersonToRelease } from '../ui/person.tsx'

/** Who is banned from a room, and the way back for them. */
export function BannedPeople ({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const t = texts.value.members
  const banned = useLoad(roomId, signal => allBanned(roomId, signal))
  const [released, setReleased] = useState<readonly string[]>([])
  const people = banned.value?.filter(user => !released.includes(user.id))
  return (
    <Dialog label={t.banned} onClose={onClose}>
      <DialogHead title={t.banned} onClose={onClose} />
      <div class='items scroll' tabIndex={-1}>
        {banned.error !== undefined && <Trouble text={why(banned.error)} onRetry={banned.again} />}
        {people === undefined && banned.isLoading && <Bones rows={2} />}
        {people?.length === 0 && <p class='calm'>{t.nobodyBanned}</p>}
        {people?.map(user => (
          <PersonToRelease
            key={user.id}
            user={user}
            id={user.id}
            act={t.unban}
            onAct={async () => {
              await client.rooms.ban(roomId, user.id, false)
              setReleased([...released, user.id])
            }}
          />
        ))}
      </div>
    </Dialog>
  )
}

async function allBanned (roomId: string, signal: AbortSignal): Promise<User[]> {
  const people: User[] = []
  let cursor: string | undefined
  do {
    const page = await client.rooms.bans(roomId, { signal, ...(cursor === undefined ? {} : { cursor }) })
    people.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return people
}
