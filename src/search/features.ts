import type { LogRow } from '../log/model/types.ts'
import { type Feature, features } from '../schemas/message.ts'

/** What a message has beside its words: the filter `has` finds it by that. */
export function featuresOf ({ message = '', messageType }: Pick<LogRow, 'message' | 'messageType'>): Feature[] {
  const found: Feature[] = features.filter(feature => feature === messageType)
  if (/https?:\/\/[^\s/]|(?:^|\s)www\.[^\s.]/i.test(message)) found.push('link')
  return found
}

/** The term under which the index keeps messages with a feature. No run of a text contains a colon. */
export const featureTerm = (feature: Feature): string => `has:${feature}`
