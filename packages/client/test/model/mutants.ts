import type { Mutation } from './spec.ts'

/** Plausible ways to write a client that loses, doubles or invents messages: the check must find every one. */
export const mutants: Record<string, Mutation> = {
  'cursors are stored and rows are not': { bendBatch: ({ rows, ...batch }) => batch },
  'an operation is settled when it is sent, and not when it is answered': {
    bendBatch: ({ put = [], settle = [], ...batch }) => {
      const sent = put.filter(({ state }) => state === 'sending').map(operation => ({ ...operation, version: operation.version - 1 }))
      return { ...batch, put: put.filter(({ state }) => state !== 'sending'), settle: [...settle, ...sent] }
    }
  },
  'a live change is taken for the next one whatever its rev': {
    bendSyncer: syncer => {
      const hear = syncer.hear.bind(syncer)
      syncer.hear = events => { hear(events.map(event => ({ ...event, rev: knownRev(syncer, event.conversationId) + 1 }))) }
    }
  },
  'a purge is not stored': { bendBatch: ({ purge, ...batch }) => batch },
  'who is removed keeps what they had': { bendBatch: ({ drop, dropRows, ...batch }) => batch },
  'what is not for you to see is not counted': { bendEvent: event => event.change === null ? { ...event, rev: 0 } : event, bendSyncer: syncer => { syncer.hearHeads = () => {} } },
  'what was marked as read here is forgotten when the server answers': {
    bendEngine: engine => {
      const patch = engine.patch.bind(engine)
      engine.patch = () => {
        const made = patch()
        made.recount.add = () => made.recount
        return made
      }
    }
  },
  'what was being sent is taken for sent after a crash': {
    bendBatch: ({ put = [], ...batch }) => ({ ...batch, put: put.map(operation => operation.state === 'sending' ? { ...operation, state: 'failed' as const } : operation) })
  }
}

function knownRev (syncer: object, id: string): number {
  return (syncer as { follow: { revs: ReadonlyMap<string, number> } }).follow.revs.get(id) ?? 0
}
