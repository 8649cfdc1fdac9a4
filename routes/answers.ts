import type { FastifyReply } from 'fastify'
import type { SentMessage } from '../src/chat/messages/send-message.ts'
import type { Message } from '../src/schemas/message.ts'

/** Sends JSON that is written already. */
export async function sendJson (reply: unknown, json: string | Buffer): Promise<never> {
  // A route's reply takes only what its schema describes.
  return await (reply as FastifyReply).type('application/json; charset=utf-8').send(json) as never
}

/** The body of the answer to a send. */
export function sentBody<M extends Message> ({ message, duplicate, rev }: SentMessage<M>) {
  return { success: true as const, message, rev, ...(duplicate ? { duplicate: true as const } : {}) }
}
