/** What the page and its service worker must agree on. */

/** The background sync that sends what waits in the outbox. */
export const outboxTag = 'outbox'

/** Of what is stored on the device. Apps under several paths of one origin have each their own. */
export const databaseName = (path: string): string => (path === '/' ? 'tidelog' : `tidelog ${path}`)
