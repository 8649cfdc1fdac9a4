import fp from 'fastify-plugin'
import type { Revoked } from '../src/auth/identity.ts'
import type { Config } from '../src/config.ts'
import { serve } from '../src/sockets/connection.ts'
import { startDelivery } from '../src/sockets/deliver.ts'
import { PresenceService } from '../src/sockets/presence.ts'
import { type SocketServices, sessionRoom, userRoom } from '../src/sockets/types.ts'
import { toTidelogError } from './errors.ts'

/** Serves the sockets, delivers what is committed, and closes the sockets of users who were logged out, on every node. */
export default fp(async function sockets (app, config: Config) {
  const { io, chat, verifyToken, socketWork } = app
  const presence = new PresenceService(io, chat, app.log, config.PRESENCE_GRACE * 1_000)
  const services: SocketServices = { io, chat, log: app.log, verifyToken, readers: new Map(), presence, toFailure: toTidelogError }

  io.on('connection', socket => {
    serve(socket, services, socketWork)
    // A logout between the handshake and the joining of its rooms has not reached this socket: look again.
    verifyToken((socket.handshake.auth as Record<string, unknown>)['token']).catch((error: Error) => {
      if (toTidelogError(error).status === 401) socket.disconnect(true)
    })
  })

  const delivery = startDelivery(services)
  const revoke = ({ userId, sessionId }: Revoked): void => {
    io.in(sessionId === undefined ? userRoom(userId) : sessionRoom(sessionId)).disconnectSockets(true)
  }
  app.sessions.on('revoked', revoke)
  app.addHook('onClose', async () => {
    app.sessions.off('revoked', revoke)
    delivery.stop()
    await delivery.finish()
    await presence.close()
  })
}, { name: 'sockets', dependencies: ['socket-io', 'chat', 'jwt'] })
