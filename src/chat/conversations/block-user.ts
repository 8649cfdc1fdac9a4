import { TidelogError } from '../../errors.ts'
import { selfLogId } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Blocks a user, or ends that; doing it again changes nothing. The blocked user's messages are refused from then on,
 * and those in rooms and the common chat are not shown.
 * @throws TidelogError USER_NOT_FOUND, NOT_ALLOWED (oneself)
 */
export async function setBlock (context: ChatContext, identity: Identity, userId: string, on: boolean): Promise<void> {
  const other = userId.toLowerCase()
  if (other === identity.userId) throw new TidelogError('NOT_ALLOWED', 'You cannot block yourself')
  if (await context.users.get(other) === undefined) throw new TidelogError('USER_NOT_FOUND')
  await context.log.commit({
    mutations: [{
      type: 'put',
      conversationId: selfLogId(identity.id),
      kind: 'block',
      subject: other,
      decide: row => (row?.on ?? false) === on ? null : { about: other, on },
      open: { kind: 'self', members: [] }
    }]
  })
}
