import { Stale } from '../../src/storage/storage.ts'
import type { Mutation } from './spec.ts'

/** Plausible ways to write a client that loses, doubles or invents messages: the check must find every one. */
export const mutants: Record<string, Mutation> = {
  'cursors are stored and rows are not': { bendBatch: ({ rows, ...batch }) => batch },
  'an operation is settled when it is sent, and not when it is answered': {
    bendBatch: ({ put = [], settle = [], ...batch }) => {
      const sent = put.filter(({ state }) => state === 'sending')
      const left = put.filter(({ state }) => state !== 'sending')
      const ended = sent.map(operation => ({ ...operation, version: operation.version - 1 }))
      return { ...batch, put: left, settle: [...settle, ...ended] }
    }
  },
  'a live change is taken for the next one whatever its rev': {
    bendSyncer: syncer => {
      const hear = syncer.hear.bind(syncer)
      syncer.hear = events => {
        hear(events.map(event => ({ ...event, rev: knownRev(syncer, event.conversationId) + 1 })))
      }
    }
  },
  'two syncs run at the same time': {
    bendSyncer: syncer => {
      const { inTurn } = syncer as unknown as { inTurn: (options: object, poll: AbortSignal) => Promise<void> }
      syncer.sync = async (options = {}) => { await inTurn.call(syncer, options, new AbortController().signal) }
    }
  },
  'a purge is not stored': { bendBatch: ({ purge, ...batch }) => batch },
  'what was deleted for oneself is kept': { bendBatch: ({ hide, ...batch }) => batch },
  'what was deleted for oneself comes again if it was on its way': {
    bendRows: rows => {
      const patch = rows.patch.bind(rows)
      rows.patch = () => {
        const made = patch()
        made.isGone = (id, seq) => seq <= (made.get(id)?.purgedSeq ?? 0)
        return made
      }
    }
  },
  'what was cleared comes again with what begins anew': {
    bendRows: rows => {
      const patch = rows.patch.bind(rows)
      rows.patch = () => {
        const made = patch()
        const reset = made.reset.bind(made)
        made.reset = id => {
          reset(id)
          made.change(id, () => ({ purgedSeq: 0 }))
        }
        return made
      }
    }
  },
  'what was deleted for oneself is shown until the server says so': {
    bendEngine: engine => {
      engine.shownIn = id => row => row.seq > (engine.conversations.get(id)?.purgedSeq ?? 0)
    }
  },
  'who is removed keeps what they had': { bendBatch: ({ drop, dropRows, ...batch }) => batch },
  'what is not for you to see is not counted': {
    bendEvent: event => event.change === null ? { ...event, rev: 0 } : event,
    bendSyncer: syncer => { syncer.hearHeads = () => {} }
  },
  'what was marked as read here is forgotten when the server answers': {
    bendRows: rows => {
      const patch = rows.patch.bind(rows)
      rows.patch = () => {
        const made = patch()
        made.recount.add = () => made.recount
        return made
      }
    }
  },
  'what was being sent is taken for sent after a crash': {
    bendBatch: ({ put = [], ...batch }) => {
      return { ...batch, put: put.map(one => one.state === 'sending' ? { ...one, state: 'failed' as const } : one) }
    }
  },
  'a page of history from before a reset is taken': {
    bendEngine: engine => {
      const show = engine.show.bind(engine)
      engine.show = ({ batch, ...delta }) => {
        const conversations = batch.conversations?.map(record => ({ ...record, generation: 'any' })) ?? []
        show({ ...delta, batch: { ...batch, conversations } })
      }
    }
  },
  'who leads no more goes on writing': {
    first: [
      { type: 'say', place: 1, pick: 0 }, { type: 'connect' }, { type: 'answer', tab: 0, fate: 'now' },
      { type: 'lead', tab: 1 }, { type: 'connect' }, { type: 'answer', tab: 1, fate: 'now' }
    ],
    bendEngine: engine => {
      const commit = engine.commit.bind(engine)
      engine.commit = async ({ term, ...batch }, news) => await commit(batch, news)
    }
  },
  'an operation is overwritten whatever another tab made of it': {
    bendEngine: engine => {
      const commit = engine.account.commit.bind(engine.account)
      engine.account.commit = async batch => {
        const { operations } = await engine.account.load()
        const held = new Map(operations.map(({ position, version }) => [position, version]))
        const put = (batch.put ?? []).map(operation => {
          const version = held.get(operation.position) ?? operation.version - 1
          return { ...operation, version: version + 1 }
        })
        return await commit({ ...batch, put })
      }
    }
  },
  'what the disk refuses is taken for stored': {
    bendEngine: engine => {
      const commit = engine.account.commit.bind(engine.account)
      engine.account.commit = async batch => await commit(batch).catch((error: unknown) => {
        if (error instanceof Stale) throw error
        return (batch.add ?? []).map((_operation, index) => 1_000 + index)
      })
    }
  }
}

function knownRev (syncer: object, id: string): number {
  return (syncer as { follow: { revs: ReadonlyMap<string, number> } }).follow.revs.get(id) ?? 0
}
