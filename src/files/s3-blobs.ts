import { Readable } from 'node:stream'
import { S3mini } from 's3mini'
import type { Blobs } from './blobs.ts'

const defaults = {
  /** Bytes of an object at least, but for a blob's last: what a short request brought is written again by the next. */
  pieceBytesMin: 1_048_576,
  /** An object with so many bytes gets no more. About as many are in memory for each upload under way. */
  pieceBytesMax: 8_388_608
}
/** Digits of an offset in a key, so that keys are in the order of the bytes. */
const offsetDigits = 15
/** Milliseconds for one request but a read, which takes as long as its reader does. */
const requestMsMax = 120_000
/** Times in a row that the rest of an object is asked for without getting any of it. */
const readTriesMax = 3

/** An object: the part of a blob that begins at `offset`. */
interface Piece {
  offset: number
  size: number
}

/**
 * Blobs in a bucket of their own, at a service that has the API of S3. An object never grows there, so a blob is one or
 * more of them: `<id>/<offset>`. What the bucket lists is the only record: pieces that follow each other without a gap
 * are the blob. So what a request brought is kept when its link breaks, and nothing has to be completed at the end.
 */
export class S3Blobs implements Blobs {
  private readonly bucket: S3mini
  private readonly reads: S3mini
  private readonly sizes: typeof defaults

  /** @param url `https://<key>:<secret>@<host>/<bucket>?region=<region>` */
  constructor (url: string, sizes: Partial<typeof defaults> = {}) {
    this.sizes = { ...defaults, ...sizes }
    const { protocol, host, pathname, username, password, searchParams } = new URL(url)
    const given = {
      accessKeyId: decodeURIComponent(username),
      secretAccessKey: decodeURIComponent(password),
      endpoint: `${protocol}//${host}${pathname}`,
      region: searchParams.get('region') ?? 'us-east-1'
    }
    this.bucket = new S3mini({ ...given, requestAbortTimeout: requestMsMax })
    this.reads = new S3mini(given)
  }

  async create (id: string): Promise<void> {
    if (await this.size(id) === undefined) await this.put(id, 0, Buffer.alloc(0))
  }

  async size (id: string): Promise<number | undefined> {
    return endOf(await this.pieces(id))
  }

  async write (id: string, offset: number, bytes: Readable): Promise<number> {
    const last = (await this.pieces(id)).at(-1)
    let start = offset
    let held: Buffer[] = []
    let length = 0
    if (last !== undefined && last.size < this.sizes.pieceBytesMin) {
      start = last.offset
      length = last.size
      if (length > 0) held = [await this.bytesOf(id, last)]
    }
    const store = async () => {
      await this.put(id, start, Buffer.concat(held))
      start += length
      held = []
      length = 0
    }
    try {
      for await (const chunk of bytes as AsyncIterable<Buffer>) {
        held.push(chunk)
        length += chunk.length
        if (length >= this.sizes.pieceBytesMax) await store()
      }
    } finally {
      // Not what was there before.
      if (length > 0 && start + length > offset) await store()
    }
    return start
  }

  async read (id: string, start: number, end: number): Promise<Readable | undefined> {
    const pieces = await this.pieces(id)
    if (end > (endOf(pieces) ?? -1)) return undefined
    return Readable.from(this.parts(id, pieces, start, end), { objectMode: false })
  }

  async sync (): Promise<boolean> {
    // A put is answered when the object is safe.
    return true
  }

  async remove (id: string): Promise<void> {
    for (const { offset } of await this.list(id)) await this.bucket.deleteObject(keyOf(id, offset))
  }

  async * ids (): AsyncIterable<string> {
    let before = ''
    for (let token: string | undefined; ;) {
      const page = await this.bucket.listObjectsPaged('/', '', 1_000, token)
      for (const { Key } of page?.objects ?? []) {
        const [, id] = /^([0-9a-f]{24})\/\d+$/.exec(Key) ?? []
        if (id !== undefined && id !== before) yield id
        before = id ?? before
      }
      token = page?.nextContinuationToken
      if (token === undefined) return
    }
  }

  async isHeld (): Promise<boolean> {
    return false
  }

  async free (): Promise<number> {
    return Infinity
  }

  private async * parts (id: string, pieces: Piece[], start: number, end: number): AsyncGenerator<Uint8Array> {
    for (const { offset, size } of pieces) {
      yield * this.part(keyOf(id, offset), Math.max(start - offset, 0), Math.min(end - offset, size))
    }
  }

  /** A part of an object. If the service breaks off, for a slow reader for example, it is asked for the rest. */
  private async * part (key: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = start, tries = 1; at < end; tries++) {
      try {
        const { body } = await this.reads.getObjectRaw(key, false, at, end)
        for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
          at += chunk.length
          tries = 0
          yield chunk
        }
      } catch (error) {
        if (tries === readTriesMax) throw error
      }
      if (tries === readTriesMax) throw new Error(`The object ${key} is shorter than it was listed`)
    }
  }

  private async bytesOf (id: string, { offset }: Piece): Promise<Buffer> {
    return Buffer.from(await (await this.bucket.getObjectRaw(keyOf(id, offset))).arrayBuffer())
  }

  private async put (id: string, offset: number, bytes: Buffer): Promise<void> {
    await this.bucket.putObject(keyOf(id, offset), bytes)
  }

  /** The pieces without a gap. */
  private async pieces (id: string): Promise<Piece[]> {
    const pieces: Piece[] = []
    for (const piece of await this.list(id)) if (piece.offset === (endOf(pieces) ?? 0)) pieces.push(piece)
    return pieces
  }

  private async list (id: string): Promise<Piece[]> {
    const objects = await this.bucket.listObjects('/', `${id}/`)
    return (objects ?? [])
      .map(({ Key, Size }) => ({ offset: Number(Key.slice(id.length + 1)), size: Number(Size) }))
      .sort((a, b) => a.offset - b.offset)
  }
}

function endOf (pieces: Piece[]): number | undefined {
  const last = pieces.at(-1)
  return last === undefined ? undefined : last.offset + last.size
}

function keyOf (id: string, offset: number): string {
  return `${id}/${String(offset).padStart(offsetDigits, '0')}`
}
