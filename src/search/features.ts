import type { LogRow } from '../log/model/types.ts'
import { type Feature, features } from '../schemas/message.ts'

type Featured = Pick<LogRow, 'message' | 'messageType' | 'attachments'>

/**
 * What a message has beside its words: the filter `has` finds it by that. Every attachment is a file, and an image, a
 * video or audio by its type.
 */
export function featuresOf ({ message = '', messageType, attachments = [] }: Featured): Feature[] {
  const kinds = new Set<string | undefined>([messageType, ...attachments.map(({ type }) => type.split('/', 1)[0])])
  if (attachments.length > 0) kinds.add('file')
  const found: Feature[] = features.filter(feature => kinds.has(feature))
  if (/https?:\/\/[^\s/]|(?:^|\s)www\.[^\s.]/i.test(message)) found.push('link')
  return found
}

/** The terms under which the index keeps messages with a feature and those of a user. No run of a text has a colon. */
export const featureTerm = (feature: Feature): string => `:${feature}`
export const senderTerm = (userId: string): string => `:${userId}`
