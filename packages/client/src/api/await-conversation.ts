import type { Core } from '../core.ts'
import { TidelogError, asTidelogError, backoffMs, sleep, untilAborted } from '../shared.ts'

/** Times that it is asked for before it is said to be missing: at least half a minute, if the server is well. */
const triesMax = 8

/**
 * Resolves when a conversation is here into which the server has just let this user. The connection may break
 * meanwhile, and the next one may lead to a node that has not heard of it yet.
 */
export async function awaitConversation (
  core: Core, id: string, sync: () => Promise<void>, signal: AbortSignal | undefined
): Promise<void> {
  const engine = core.signedIn
  const isHere = () => engine.conversations.has(id)
  for (let tries = 1; !isHere(); tries++) {
    const error = await sync().then(() => undefined, asTidelogError)
    if (core.engine !== engine) throw new TidelogError({ code: 'NO_SESSION' })
    if (isHere()) return
    if (error?.retryable === false) throw error
    if (tries === triesMax) throw error ?? new TidelogError({ code: 'UNAVAILABLE', retryable: true })
    await untilAborted(next(core, backoffMs(core.random, tries), isHere), signal)
  }
}

/** After some time, or when it is there. */
async function next ({ clock, changed }: Core, ms: number, isHere: () => boolean): Promise<void> {
  const come = new AbortController()
  const end = changed.add(() => { if (isHere()) come.abort() })
  await sleep(clock, ms, come.signal)
  end()
}
