import { TidelogError } from '../../errors.ts'
import { selfLogId } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { requireCommitted } from '../rules/outcome.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Blocks or unblocks a user; repeating it changes nothing. From then on, the blocked user's direct messages are
 * refused, and their messages in rooms and the common chat are hidden from the caller.
 * @throws TidelogError USER_NOT_FOUND, NOT_ALLOWED (oneself)
 */
export async function setBlock (context: ChatContext, identity: Identity, userId: string, on: boolean): Promise<void> {
  const other = userId.toLowerCase()
  if (other === identity.userId) throw new TidelogError('NOT_ALLOWED', 'You cannot block yourself')
  if (await context.users.get(other) === undefined) throw new TidelogError('USER_NOT_FOUND')
  requireCommitted(await context.log.commit({
    mutations: [{
      type: 'put',
      conversationId: selfLogId(identity.id),
      kind: 'block',
      subject: other,
      decide: row => (row?.on ?? false) === on ? null : { about: other, on },
      open: { kind: 'self', members: [] }
    }]
  }))
}
