import { LRUCache } from 'lru-cache'
import type { Rev } from '../log/model/types.ts'

/** How far a conversation has been delivered here. */
export interface Position {
  /** Everything up to this rev has been sent, or looked up; undefined: something may have passed unseen. */
  rev: Rev | undefined
  /** Which of the checks of this process was its last; 0 for none. */
  check: number
}

/**
 * How far each conversation has been delivered to sockets of this process. Of those that were not heard of for longest nothing
 * is kept: the next change of one is treated as the first.
 */
export class Positions {
  private readonly kept: LRUCache<string, Position>
  /** Checks so far: who followed a conversation was compared with who may, because something had passed unseen. */
  checks = 0

  /** @param max conversations of which a position is kept */
  constructor (max = 400_000) {
    this.kept = new LRUCache({ max })
  }

  /** To be moved in place. Undefined: nothing of it was heard yet, or it is forgotten. */
  of (conversationId: string): Position | undefined {
    return this.kept.get(conversationId)
  }

  /** @param rev undefined: from here on something may have passed unseen */
  set (conversationId: string, rev: Rev | undefined): void {
    const position = this.kept.get(conversationId)
    if (position === undefined) this.kept.set(conversationId, { rev, check: 0 })
    else position.rev = rev
  }

  /** Who follows the conversation is who may, as of this rev at least. */
  checked (conversationId: string, rev: Rev | undefined): void {
    this.kept.set(conversationId, { rev, check: ++this.checks })
  }

  /** Was it checked since there were so many checks? A membership that was read meanwhile may be from before something unseen. */
  wasChecked (conversationId: string, since: number): boolean {
    return this.checks > since && (this.kept.get(conversationId)?.check ?? 0) > since
  }
}
