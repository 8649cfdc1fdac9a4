/**
 * What the parts that are loaded later take from the first load. Each of them imports from here, and from here all of
 * the first load is reached: else a bundler makes a file of what some of the parts share and others do not, and small
 * files compress badly.
 */
export { makeClient } from './client.ts'
export { backoffMs, newId, sleep, untilAborted } from './clock.ts'
export { isOfOutbox } from './engine/engine.ts'
export { TidelogError, asTidelogError, toFailure } from './errors.ts'
export { failureOf, readAnswer } from './network/http.ts'
export { toAttachment, toOwnUser, toPerson, toRow } from './pure/normalize.ts'
export { filesOf } from './pure/outbox.ts'
export { isWhole } from './pure/ranges.ts'
export { commonId, counts } from './pure/state.ts'
export { showRow } from './pure/view.ts'
export { Value } from './readable.ts'
