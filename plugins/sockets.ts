import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../src/config.ts'
import { GapSource } from '../src/live/gap-source.ts'
import { Heartbeat } from '../src/live/heartbeat.ts'
import { followActive, followRooms } from '../src/live/interest.ts'
import { LiveDelivery } from '../src/live/live-delivery.ts'
import { startRelay } from '../src/live/relay.ts'
import { UserChanges } from '../src/live/user-changes.ts'
import { Subscriptions } from '../src/live/subscriptions.ts'
import { schedule } from '../src/lib/schedule.ts'
import { Watermarks } from '../src/live/watermarks.ts'
import { deliverDirectTyping, deliverRemoteTyping, tellOthers } from '../src/sockets/typing.ts'
import { endSessions } from '../src/sockets/end-sessions.ts'
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

/** Milliseconds within which a node looks for changes that it missed while the link was down. */
const lookWithinMs = 1_000

/** Serves the sockets, delivers commits, and closes the sockets of logged-out users on every node. */
export default fp(async function sockets (app, config: Config) {
  const { io, chat, sync, nodes, verifyToken, requireSession, pendingRequests } = app
  const presence = new PresenceService(io, chat, nodes, app.log, config.PRESENCE_GRACE * 1_000)
  const { live, subscriptions, watermarks } = createDelivery(app)
  const userChanges = new UserChanges({
    io,
    sync,
    subscriptions,
    onError: (error, userId) => { app.log.error({ err: error, userId }, 'a changed user could not be announced') }
  })
  const typists = new Typists({
    later: (ms, act) => {
      const timer = setTimeout(act, ms).unref()
      return () => { clearTimeout(timer) }
    },
    onEnd: typing => {
      const failed = (error: unknown) => { app.log.error({ err: error }, 'the end of typing could not be announced') }
      tellOthers(services, { ...typing, on: false }).catch(failed)
    }
  })
  const services: SocketServices = {
    io,
    chat,
    sync,
    nodes,
    subscriptions,
    live,
    presence,
    typists,
    verifyToken,
    requireSession,
    toTidelogError,
    bounds: app.socketBounds,
    logger: app.log,
    traced: app.tracing?.event.bind(app.tracing)
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
    for (const { row, isNew } of rows) {
      if (isNew && row.kind === 'message') typists.sent(row.conversationId, row.senderId!.toHexString())
    }
  })
  live.startHeartbeat()
  const stopNodes = followNodes(app, services, watermarks)
  app.addHook('onClose', async () => {
    stopNodes()
    stopTyping()
    typists.close()
    userChanges.stop()
    live.stop()
    await live.finish()
    await presence.close()
  })
}, { name: 'sockets', dependencies: ['socket-io', 'chat', 'nodes', 'sync', 'jwt', 'tracing'] })

/** What delivers commits to the sockets of this process. */
function createDelivery ({ io, chat, sync, nodes, log: logger }: FastifyInstance) {
  const watermarks = new Watermarks()
  const subscriptions = new Subscriptions(io, chat, watermarks)
  const heartbeat = new Heartbeat(subscriptions, sync)
  const gapSource = new GapSource(sync, subscriptions, heartbeat)
  const live = new LiveDelivery({
    io, chat, watermarks, subscriptions, heartbeat, gapSource, logger, isClustered: () => nodes.isUp
  })
  return { live, subscriptions, watermarks }
}

/** Sends commits to the other nodes, and takes their words. @returns what ends that */
function followNodes (app: FastifyInstance, services: SocketServices, watermarks: Watermarks): () => void {
  const { io, chat, sync, nodes, live } = app
  nodes.on('typing', word => { deliverRemoteTyping(services, word) })
  nodes.on('directTyping', word => { deliverDirectTyping(io, word) })
  followRooms(io, nodes)
  const logged = (error: unknown) => { app.log.warn({ err: error }, 'heads could not be checked') }
  followActive(io, nodes, chat.log, {
    tell: (conversationId, rev) => { live.acceptAfter(conversationId, rev, { name: 'head' }) },
    onError: logged
  })
  nodes.onInactive(channels => { for (const channel of channels) watermarks.forget(channel) })
  // Not all nodes at the same moment: each one reads the heads of all that its sockets get.
  let stopLook = () => {}
  nodes.onUp(() => {
    stopLook()
    stopLook = schedule(() => { live.beat().catch(logged) }, Math.random() * lookWithinMs)
  })
  const stopRelay = startRelay(nodes, chat, app.revocations, revoked => {
    endSessions({ io, longPolls: sync.longPolls }, revoked)
  })
  return () => {
    stopRelay()
    stopLook()
  }
}
