import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { eraseOwnAccount } from '../../../src/auth/erase-account.ts'
import { toOwnUser, toPublicUser } from '../../../src/auth/payload.ts'
import { changeAvatar, changeProfile } from '../../../src/auth/profile.ts'
import { searchUsers } from '../../../src/auth/search-users.ts'
import { setBlock } from '../../../src/chat/conversations/block-user.ts'
import { TidelogError } from '../../../src/errors.ts'
import { visibleUsers } from '../../../src/presence/visible-users.ts'
import { ErasureInput } from '../../../src/schemas/auth.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { User } from '../../../src/schemas/primitives.ts'
import { AvatarInput, OwnUser, ProfileInput, UserPage, UserParams, UserSearch } from '../../../src/schemas/user.ts'

const userRoutes: FastifyPluginAsyncTypebox = async app => {
  app.addHook('onRequest', app.authenticate)

  app.get('', {
    schema: {
      summary: 'Find users',
      description: 'Finds active users by the beginnings of words of their names, in any order, ignoring case and ' +
        'accents; after an @ by the beginning of their user name. A user with exactly that user name comes first. ' +
        'A server may let you find only users with whom you share a conversation. ' +
        'With `ids` it returns these users, deactivated ones too, and leaves unknown ids out.',
      tags: ['users'],
      querystring: UserSearch,
      response: { 200: UserPage, ...failures(400, 401, 429, 503) }
    }
  }, async ({ query, identity }) => {
    if (query.ids !== undefined) {
      if (query.search !== undefined || query.cursor !== undefined) {
        throw new TidelogError('VALIDATION', 'Send ids without search and cursor')
      }
      const ids = query.ids.toLowerCase().split(',')
      const found = await app.chat.users.getMany(ids)
      const users = [...new Set(ids)].flatMap(id => found.has(id) ? [toPublicUser(found.get(id)!)] : [])
      return { success: true as const, users, hasMore: false, cursor: null }
    }
    const mayBeFound = app.accounts.userSearch === 'all' || identity.isAdmin
      ? undefined
      : (ids: readonly string[]) => visibleUsers(app.chat, identity.userId, ids)
    const { rows, cursor } = await searchUsers(app.accounts, query, mayBeFound)
    return { success: true as const, users: rows.map(toPublicUser), hasMore: cursor !== null, cursor }
  })

  app.get('/:id', {
    schema: {
      summary: 'One user',
      description: '`blocked` says whether you have blocked them.',
      tags: ['users'],
      params: UserParams,
      response: {
        200: Type.Object({ success: Type.Literal(true), user: User, blocked: Type.Boolean() }),
        ...failures(400, 401, 404, 429, 503)
      }
    }
  }, async ({ params, identity }) => {
    const id = params.id.toLowerCase()
    const [row, blocked] = await Promise.all([app.chat.users.get(id), app.chat.blocks.get(identity.userId)])
    if (row === undefined) throw new TidelogError('USER_NOT_FOUND')
    return { success: true as const, user: toPublicUser(row), blocked: blocked.has(id) }
  })

  app.patch('/me', {
    schema: {
      summary: 'Change your account',
      tags: ['users'],
      body: ProfileInput,
      response: {
        200: Type.Object({ success: Type.Literal(true), user: OwnUser }),
        ...failures(400, 401, 403, 409, 413, 415, 429, 503)
      }
    }
  }, async ({ body, identity }) => {
    const row = await changeProfile(app.accounts, identity, body)
    return { success: true as const, user: toOwnUser(row, identity.isAdmin) }
  })

  app.delete('/me', {
    schema: {
      summary: 'Delete your account',
      description: 'The account is gone at once: its sessions end, and its names and e-mail address are free. Then ' +
        'the server deletes your messages, with their files, in every conversation, and you leave your rooms. Others ' +
        'see tombstones of `Deleted user`. A wrong `password` counts as a failed login. Administrators, and accounts ' +
        'of a host application, get `NOT_ALLOWED`.',
      tags: ['users'],
      body: ErasureInput,
      response: {
        200: Type.Object({ success: Type.Literal(true) }),
        ...failures(400, 401, 403, 413, 415, 429, 503)
      }
    }
  }, async ({ body, identity, log }) => {
    await eraseOwnAccount(app.accounts, identity, body.password)
    void app.continueErasures()
    log.info({ userId: identity.userId }, 'account erased by its user')
    return { success: true as const }
  })

  app.put('/me/avatar', {
    schema: {
      summary: 'Change your picture',
      description: 'Upload a file with `POST /api/files` first. Everybody can then read it at the address in ' +
        '`profilePicture`. The server keeps it as long as it is your picture.',
      tags: ['users'],
      body: AvatarInput,
      response: {
        200: Type.Object({ success: Type.Literal(true), user: OwnUser }),
        ...failures(400, 401, 413, 415, 429, 503)
      }
    }
  }, async ({ body, identity }) => {
    const row = await changeAvatar(app.accounts, identity, body.fileId)
    return { success: true as const, user: toOwnUser(row, identity.isAdmin) }
  })

  for (const on of [true, false]) {
    app.route({
      method: on ? 'PUT' : 'DELETE',
      url: '/:id/block',
      schema: {
        summary: on ? 'Block a user' : 'Unblock a user',
        description: on
          ? 'The server refuses their direct messages to you, and hides their messages and reactions ' +
          'elsewhere from you. Neither of you learns of the other\'s typing, presence and read positions. Repeating ' +
          'it changes nothing.'
          : 'Repeating it changes nothing.',
        tags: ['users'],
        params: UserParams,
        response: {
          200: Type.Object({ success: Type.Literal(true), blocked: Type.Boolean() }),
          ...failures(400, 401, 403, 404, 429, 503)
        }
      },
      handler: async ({ params, identity }) => {
        await setBlock(app.chat, identity, params.id, on)
        return { success: true as const, blocked: on }
      }
    })
  }
}

export default userRoutes
