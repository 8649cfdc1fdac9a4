import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { setActive } from '../../../src/auth/activate.ts'
import { toPublicUser } from '../../../src/auth/payload.ts'
import { passOnRooms } from '../../../src/chat/succession.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { AdminUser, AdminUserInput, UserParams } from '../../../src/schemas/user.ts'

const adminRoutes: FastifyPluginAsyncTypebox = async app => {
  app.addHook('onRequest', app.authenticate)

  app.patch('/users/:id', {
    schema: {
      summary: 'Close or reopen an account',
      description: 'For the users that ADMIN_USERS names. Closing ends the account\'s tokens, sessions and sockets at once; reopening does not bring them back. Each room that the account owns passes to the moderator who joined it first, else to the member who did.',
      tags: ['administration'],
      params: UserParams,
      body: AdminUserInput,
      response: { 200: Type.Object({ success: Type.Literal(true), user: AdminUser }), ...failures(400, 401, 403, 404, 413, 415, 429, 503) }
    }
  }, async ({ params, body, identity, log }) => {
    const row = await setActive(app.accounts, identity, params.id, body.isActive)
    if (row.isActive === false) await passOnRooms(app.chat, params.id.toLowerCase())
    log.info({ adminId: identity.userId, userId: params.id, isActive: row.isActive !== false }, 'account changed by an administrator')
    return { success: true as const, user: { ...toPublicUser(row), isActive: row.isActive !== false } }
  })
}

export default adminRoutes
