import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { ChatContext } from './context.ts'
import { objectId } from './conversation-id.ts'

/**
 * Blocks a user, or ends that; doing it again changes nothing. The blocked user's messages are refused from then on.
 * @throws TidelogError USER_NOT_FOUND, NOT_ALLOWED (oneself)
 */
export async function setBlock (context: ChatContext, identity: Identity, userId: string, on: boolean): Promise<void> {
  const other = userId.toLowerCase()
  if (other === identity.userId) throw new TidelogError('NOT_ALLOWED', 'You cannot block yourself')
  if (await context.users.get(other) === undefined) throw new TidelogError('USER_NOT_FOUND')
  const _id = `${identity.userId}|${other}`
  if (on) {
    await context.collections.blocks.updateOne(
      { _id },
      { $setOnInsert: { userId: identity.id, blockedId: objectId(other), createdAt: new Date(context.now()) } },
      { upsert: true }
    )
  } else {
    await context.collections.blocks.deleteOne({ _id })
  }
  context.blocks.forget(identity.userId)
}
