import fp from 'fastify-plugin'
import type { Revocation } from '../src/auth/identity.ts'
import type { Config } from '../src/config.ts'
import { GapSource } from '../src/live/gap-source.ts'
import { Heartbeat } from '../src/live/heartbeat.ts'
import { LiveDelivery } from '../src/live/live-delivery.ts'
import { startRelay } from '../src/live/relay.ts'
import { sessionRoom, userRoom } from '../src/connection/socket-types.ts'
import { Subscriptions } from '../src/live/subscriptions.ts'
import { Watermarks } from '../src/live/watermarks.ts'
import { deliverRemoteTyping, tellOthers } from '../src/sockets/typing.ts'
import { serveSocket } from '../src/sockets/serve-socket.ts'
import { PresenceService } from '../src/presence/presence-service.ts'
import type { SocketServices } from '../src/sockets/context.ts'
import { Typists } from '../src/sockets/typists.ts'
import { toTidelogError } from '../src/to-tidelog-error.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Delivers this process's and other nodes' commits to the sockets of this process. */
    live: LiveDelivery
  }
}

/** Serves the sockets, delivers commits, and closes the sockets of logged-out users on every node. */
export default fp(async function sockets (app, config: Config) {
  const { io, chat, sync, verifyToken, requireSession, pendingRequests } = app
  const presence = new PresenceService(io, chat, app.log, config.PRESENCE_GRACE * 1_000)
  const watermarks = new Watermarks()
  const subscriptions = new Subscriptions(io, chat, watermarks)
  const heartbeat = new Heartbeat(subscriptions, sync)
  const gapSource = new GapSource(sync, subscriptions, heartbeat)
  const live = new LiveDelivery({ io, chat, watermarks, subscriptions, heartbeat, gapSource, logger: app.log })
  const typists = new Typists({
    later: (ms, act) => {
      const timer = setTimeout(act, ms).unref()
      return () => { clearTimeout(timer) }
    },
    onEnd: typing => { tellOthers(services, { ...typing, on: false }).catch((error: unknown) => { app.log.error({ err: error }, 'the end of typing could not be told') }) }
  })
  const services: SocketServices = {
    io, chat, sync, subscriptions, live, logger: app.log, verifyToken, requireSession, presence, typists, bounds: app.socketBounds, toTidelogError
  }
  app.decorate('live', live)

  io.on('connection', socket => {
    serveSocket(socket, services, pendingRequests)
    // A logout between the handshake and joining the rooms has not reached this socket: verify the token again.
    verifyToken((socket.handshake.auth as Record<string, unknown>)['token']).catch((error: Error) => {
      if (toTidelogError(error).status === 401) socket.disconnect(true)
    })
  })

  app.addHook('onReady', async () => { subscriptions.start() })
  const stopTyping = chat.log.onCommitted(({ rows }) => {
    if (typists.isEmpty) return
    for (const { row, isNew } of rows) if (isNew && row.kind === 'message') typists.sent(row.conversationId, row.senderId!.toHexString())
  })
  live.startHeartbeat()
  io.on('typing', word => { deliverRemoteTyping(services, word) })
  const stopRelay = startRelay(io, chat, app.revocations, ({ userId, sessionId, keptSessionId }: Revocation) => {
    sync.longPolls.endOf(userId)
    const ended = io.local.in(sessionId === undefined ? userRoom(userId) : sessionRoom(sessionId))
    ;(keptSessionId === undefined ? ended : ended.except(sessionRoom(keptSessionId))).disconnectSockets(true)
  })
  app.addHook('onClose', async () => {
    stopRelay()
    stopTyping()
    typists.close()
    live.stop()
    await live.finish()
    await presence.close()
  })
}, { name: 'sockets', dependencies: ['socket-io', 'chat', 'sync', 'jwt'] })
