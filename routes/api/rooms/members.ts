import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { listBans, listMembers, removeMember, setBan, setMemberRole } from '../../../src/chat/rooms/room-members.ts'
import { failures } from '../../../src/schemas/failures.ts'
import {
  BanParams, BansBody, DoneBody, MemberBody, MemberInput, MembersBody, MembersQuery, RoomMemberParams, RoomParams
} from '../../../src/schemas/room.ts'

const tags = ['rooms']

/** The members of a room. The plugin that registers it authenticates. */
const memberRoutes: FastifyPluginAsyncTypebox = async app => {
  app.get('/:roomId/members', {
    schema: {
      summary: 'The members of a room',
      description: 'Sorted by id.',
      tags,
      params: RoomParams,
      querystring: MembersQuery,
      response: { 200: MembersBody, ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params, query, identity }) => ({
    success: true as const, ...await listMembers(app.chat, identity, params.roomId, query)
  }))

  app.put('/:roomId/members/:userId', {
    schema: {
      summary: 'Invite a user, join, or change a role',
      description: 'The owner and moderators invite. The owner makes members moderators, and hands the room over by ' +
        'making another member its owner. ' +
        'To join a public room, name yourself (or `me`). Repeating it changes nothing.',
      tags,
      params: RoomMemberParams,
      body: MemberInput,
      response: { 200: MemberBody, ...failures(400, 401, 403, 404, 413, 415, 429, 503) }
    },
    // A missing body counts as an empty one.
    preValidation: async request => { request.body ??= {} }
  }, async ({ params, body, identity }) => ({
    success: true as const,
    member: await setMemberRole(app.chat, identity, params.roomId, params.userId, body.role ?? 'member')
  }))

  app.delete('/:roomId/members/:userId', {
    schema: {
      summary: 'Remove a member, or leave',
      description: 'Moderators remove members, the owner removes anybody else. The owner can leave only after ' +
        'handing the room over, or as the last member.',
      tags,
      params: RoomMemberParams,
      response: { 200: DoneBody, ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params, identity }) => {
    await removeMember(app.chat, identity, params.roomId, params.userId)
    return { success: true as const }
  })

  app.get('/:roomId/bans', {
    schema: {
      summary: 'The users who are banned from a room',
      description: 'For the owner and moderators.',
      tags,
      params: RoomParams,
      querystring: MembersQuery,
      response: { 200: BansBody, ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params, query, identity }) => ({
    success: true as const, ...await listBans(app.chat, identity, params.roomId, query)
  }))

  for (const on of [true, false]) {
    app.route({
      method: on ? 'PUT' : 'DELETE',
      url: '/:roomId/bans/:userId',
      schema: {
        summary: on ? 'Ban a user from a room' : 'Lift a ban',
        description: on
          ? 'Removes them if they are members. They cannot join again; an invitation lifts the ban.'
          : 'They may join again. Repeating it changes nothing.',
        tags,
        params: BanParams,
        response: { 200: DoneBody, ...failures(400, 401, 403, 404, 429, 503) }
      },
      handler: async ({ params, identity }) => {
        await setBan(app.chat, identity, params.roomId, params.userId, on)
        return { success: true as const }
      }
    })
  }
}

export default memberRoutes
