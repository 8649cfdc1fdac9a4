import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { setActive } from '../../../src/auth/activate.ts'
import { eraseAccount } from '../../../src/auth/erase-account.ts'
import { toPublicUser } from '../../../src/auth/payload.ts'
import { passOnRooms } from '../../../src/chat/succession.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { AdminUser, AdminUserInput, UserParams } from '../../../src/schemas/user.ts'

const adminRoutes: FastifyPluginAsyncTypebox = async app => {
  app.addHook('onRequest', app.authenticate)

  app.patch('/users/:id', {
    schema: {
      summary: 'Close or reopen an account',
      description: 'For administrators (ADMIN_USERS). Closing ends the account\'s tokens, sessions and sockets ' +
        'at once; reopening does not bring them back. Each room that the account owns passes to the moderator who ' +
        'joined it first, else to the member who did.',
      tags: ['administration'],
      params: UserParams,
      body: AdminUserInput,
      response: {
        200: Type.Object({ success: Type.Literal(true), user: AdminUser }),
        ...failures(400, 401, 403, 404, 413, 415, 429, 503)
      }
    }
  }, async ({ params, body, identity, log }) => {
    const row = await setActive(app.accounts, identity, params.id, body.isActive)
    const isActive = row.isActive !== false
    if (!isActive) await passOnRooms(app.chat, params.id.toLowerCase())
    log.info({ adminId: identity.userId, userId: params.id, isActive }, 'account changed by an administrator')
    return { success: true as const, user: { ...toPublicUser(row), isActive } }
  })

  app.delete('/users/:id', {
    schema: {
      summary: 'Delete an account',
      description: 'For administrators (ADMIN_USERS), if a user asks to be forgotten: the same as ' +
        '`DELETE /api/users/me`. An account of a host application is closed, and its messages are deleted; its row ' +
        'keeps its names.',
      tags: ['administration'],
      params: UserParams,
      response: {
        200: Type.Object({ success: Type.Literal(true) }),
        ...failures(400, 401, 403, 404, 429, 503)
      }
    }
  }, async ({ params, identity, log }) => {
    await eraseAccount(app.accounts, identity, params.id)
    void app.continueErasures()
    log.info({ adminId: identity.userId, userId: params.id }, 'account erased by an administrator')
    return { success: true as const }
  })
}

export default adminRoutes
