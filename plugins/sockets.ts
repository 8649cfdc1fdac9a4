import fp from 'fastify-plugin'
import type { Revocation } from '../src/auth/identity.ts'
import type { Config } from '../src/config.ts'
import { deliverRemoteTyping } from '../src/sockets/typing.ts'
import { Beacon } from '../src/sockets/beacon.ts'
import { serveSocket } from '../src/sockets/serve-socket.ts'
import { startDelivery } from '../src/sockets/deliver.ts'
import { Order } from '../src/sockets/order.ts'
import { Positions } from '../src/sockets/positions.ts'
import { PresenceService } from '../src/presence/presence-service.ts'
import { joinsNodes, startRelay } from '../src/sockets/relay.ts'
import type { SocketServices } from '../src/sockets/context.ts'
import { Subscriptions } from '../src/sockets/subscriptions.ts'
import { sessionRoom, userRoom } from '../src/sockets/types.ts'
import { toTidelogError } from '../src/to-tidelog-error.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Tells sockets where their conversations stand. */
    beacon: Beacon
  }
}

/** Serves the sockets, delivers what is committed, and closes the sockets of users who were logged out, on every node. */
export default fp(async function sockets (app, config: Config) {
  const { io, chat, sync, verifyToken, requireSession, pendingRequests } = app
  const presence = new PresenceService(io, chat, app.log, config.PRESENCE_GRACE * 1_000)
  const positions = new Positions()
  const subscriptions = new Subscriptions(io, chat, positions)
  const order = new Order({ positions, log: app.log, isAlone: chat.log.isSoleWriter, hearsOthers: () => joinsNodes(io) })
  const beacon = new Beacon(subscriptions, sync, order, app.log)
  const services: SocketServices = {
    io, chat, sync, subscriptions, beacon, order, logger: app.log, verifyToken, requireSession, markReadSockets: new Map(), presence, toTidelogError
  }
  app.decorate('beacon', beacon)

  io.on('connection', socket => {
    serveSocket(socket, services, pendingRequests)
    // A logout between the handshake and the joining of its rooms has not reached this socket: look again.
    verifyToken((socket.handshake.auth as Record<string, unknown>)['token']).catch((error: Error) => {
      if (toTidelogError(error).status === 401) socket.disconnect(true)
    })
  })

  app.addHook('onReady', async () => { subscriptions.start() })
  const delivery = startDelivery(services)
  const stopBeacon = beacon.start()
  io.on('typing', word => { deliverRemoteTyping(services, word) })
  const stopRelay = startRelay(io, chat, app.revocations, ({ userId, sessionId, keptSessionId }: Revocation) => {
    sync.longPolls.endOf(userId)
    const ended = io.local.in(sessionId === undefined ? userRoom(userId) : sessionRoom(sessionId))
    ;(keptSessionId === undefined ? ended : ended.except(sessionRoom(keptSessionId))).disconnectSockets(true)
  })
  app.addHook('onClose', async () => {
    stopRelay()
    stopBeacon()
    delivery.stop()
    await delivery.finish()
    await presence.close()
  })
}, { name: 'sockets', dependencies: ['socket-io', 'chat', 'sync', 'jwt'] })
