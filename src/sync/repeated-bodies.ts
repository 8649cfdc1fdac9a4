import { LRUCache } from 'lru-cache'

/** Sizes of a body that is cached. Smaller ones are parsed as fast as they are compared. */
const bytesMin = 1_024
const bytesMax = 131_072
/** Bytes of bodies that are cached, over all users. */
const cachedBytesMax = 32 * 1024 * 1024

/**
 * The last body of each user, parsed. A client that polls sends the same cursors until something is new, and parsing
 * some hundred of them costs more than the rest of its request. A parsed body is used only for the very same bytes.
 */
export class RepeatedBodies {
  private readonly cache = new LRUCache<string, { bytes: Buffer, body: unknown }>({
    maxSize: cachedBytesMax, sizeCalculation: ({ bytes }) => bytes.length
  })

  /** What the user's last body was parsed to, if it was these bytes; else undefined. Do not change it. */
  get (userId: string, bytes: Buffer): unknown {
    if (!isCached(bytes)) return undefined
    const last = this.cache.get(userId)
    return last?.bytes.equals(bytes) === true ? last.body : undefined
  }

  set (userId: string, bytes: Buffer, body: unknown): void {
    // A copy, because the bytes may be part of a larger buffer.
    if (isCached(bytes)) this.cache.set(userId, { bytes: Buffer.from(bytes), body })
  }
}

function isCached ({ length }: Buffer): boolean {
  return length >= bytesMin && length <= bytesMax
}
