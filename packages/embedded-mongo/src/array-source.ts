/** Documents that are all there already, as a cursor's source. */
import type { DocumentSource } from './cursors.ts'
import type { ReplyBatch } from './reply-batch.ts'
import type { View } from './store/view.ts'

export class ArraySource implements DocumentSource {
  readonly #documents: readonly Uint8Array[]
  #next = 0

  constructor (documents: readonly Uint8Array[]) {
    this.#documents = documents
  }

  isAlive (): boolean {
    return true
  }

  fill (_view: View, batch: ReplyBatch, limit: number): boolean {
    for (let added = 0; added < limit && this.#next < this.#documents.length; added++) {
      const document = this.#documents[this.#next]!
      if (!batch.hasRoom(document.length)) return false
      batch.add(document)
      this.#next++
    }
    return this.#next >= this.#documents.length
  }
}
