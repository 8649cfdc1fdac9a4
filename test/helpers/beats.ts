import type { FastifyInstance } from 'fastify'

/** From now on the heartbeat of an app is made only when it is asked for: on a slow machine a test outlives the time between two beats. @returns what asks it */
export function beatsWhenAsked ({ live }: FastifyInstance): () => Promise<void> {
  const beat = live.beat.bind(live)
  live.beat = async () => {}
  return beat
}
