import fp from 'fastify-plugin'
import { everyNode } from '../src/nodes/nodes.ts'

/** The limiters that guard against guessing and against strangers, by name. They count rare things. */
const sharedNames = ['login', 'loginAddress', 'loginAccount', 'register', 'invitations'] as const

/**
 * Limits of rare calls hold for all nodes together: a node tells the others what it counts, and they count it too. A
 * node never waits for an answer, and if the link is down it counts its own. The other limiters count for each node.
 */
export default fp(async function sharedLimits (app) {
  const { limiters, nodes } = app
  for (const limiter of sharedNames) {
    limiters[limiter].onCounted((key, times) => { nodes.send('counted', [everyNode], { limiter, key, times }) })
  }
  nodes.on('counted', ({ limiter, key, times }) => {
    const name = sharedNames.find(name => name === limiter)
    if (name !== undefined) limiters[name].add(key, times)
  })
}, { name: 'shared-limits', dependencies: ['rate-limit', 'nodes'] })
