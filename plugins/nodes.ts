import fp from 'fastify-plugin'
import type { Config } from '../src/config.ts'
import type { ChatNodes, NodeWords } from '../src/live/relay.ts'
import type { Link } from '../src/nodes/link.ts'
import { Nodes } from '../src/nodes/nodes.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The link to the other nodes. */
    nodes: ChatNodes
  }
}

interface NodesOptions extends Pick<Config, 'REDIS_URL'> {
  /** Instead of the one that REDIS_URL names. */
  link: Link | undefined
  nodeId: string
}

/** Decorates `fastify.nodes`, and links this process to the others once the server is ready. */
export default fp(async function nodes (app, { REDIS_URL, link, nodeId }: NodesOptions) {
  const given = link ?? (REDIS_URL === '' ? undefined : await linkTo(REDIS_URL))
  const joined = new Nodes<NodeWords>(nodeId, given, app.log)
  app.decorate('nodes', joined)
  app.addHook('onReady', async () => { joined.open(`tidelog:${app.chat.log.cursors.epoch}:`) })
  app.addHook('onClose', () => joined.close())
}, { name: 'nodes', dependencies: ['chat'] })

/** The driver takes a tenth of a second to load, and a server on its own needs none. */
async function linkTo (redisUrl: string): Promise<Link> {
  const { RedisLink } = await import('../src/nodes/redis-link.ts')
  return new RedisLink(redisUrl)
}
