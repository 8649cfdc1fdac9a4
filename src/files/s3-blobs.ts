import { Readable } from 'node:stream'
import { S3mini } from 's3mini'
import { TidelogError } from '../errors.ts'
import type { Blobs } from './blobs.ts'

const defaults = {
  /** Bytes of an object at least, but for a blob's last: what a short request brought is written again by the next. */
  pieceBytesMin: 1_048_576,
  /** An object with so many bytes gets no more. About as many are in memory for each upload under way. */
  pieceBytesMax: 8_388_608,
  /** Milliseconds for an answer, or the beginning of an object, which then takes as long as its reader does. */
  answerMsMax: 10_000
}
/** Digits of an offset in a key, so that keys are in the order of the bytes. */
const offsetDigits = 15
/** Milliseconds in which an object is stored or read as a whole. */
const objectMsMax = 120_000
/** Milliseconds after which a bucket that failed may answer again. */
const retryAfterMs = 1_000
/** The id, the generation if it is not the first, and the offset. */
const pieceKey = /^([0-9a-f]{24})\/(?:(\d+)-)?(\d+)$/
/** Requests in a row for the rest of an object that bring none of it. */
const readTriesMax = 3

/** An object: the part of a blob that begins at `offset`. */
interface Piece {
  key: string
  offset: number
  size: number
}

/** What is stored of a blob. */
interface Stored {
  generation: number
  pieces: Piece[]
}

/**
 * Blobs in a bucket of their own, at a service that has the API of S3. An object never grows there, so a blob is one or
 * more of them: `<id>/<offset>`. What the bucket lists is the only record: pieces that follow each other without a gap
 * are the blob. So what a request brought is kept when its link breaks, and nothing has to be completed at the end.
 *
 * A request that was sent may arrive at any time. So a fence begins another generation, whose pieces are
 * `<id>/<generation>-<offset>`: the blob is what its last generation has.
 */
export class S3Blobs implements Blobs {
  isUp = true
  private readonly objects: S3mini
  private readonly bucket: S3mini
  private readonly reads: S3mini
  private readonly bounds: typeof defaults

  /** @param url `https://<key>:<secret>@<host>/<bucket>?region=<region>` */
  constructor (url: string, bounds: Partial<typeof defaults> = {}) {
    this.bounds = { ...defaults, ...bounds }
    const { answerMsMax } = this.bounds
    const { protocol, host, pathname, username, password, searchParams } = new URL(url)
    const given = {
      accessKeyId: decodeURIComponent(username),
      secretAccessKey: decodeURIComponent(password),
      endpoint: `${protocol}//${host}${pathname}`,
      region: searchParams.get('region') ?? 'us-east-1'
    }
    this.objects = new S3mini({ ...given, requestAbortTimeout: objectMsMax })
    this.bucket = new S3mini({ ...given, requestAbortTimeout: answerMsMax })
    this.reads = new S3mini({ ...given, fetch: (...given) => fetchBeginning(answerMsMax, ...given) })
  }

  async create (id: string): Promise<void> {
    if (await this.size(id) === undefined) await this.put(keyOf(id, 0, 0), Buffer.alloc(0))
  }

  async size (id: string): Promise<number | undefined> {
    return endOf((await this.stored(id)).pieces)
  }

  async write (
    id: string, offset: number, bytes: Readable, requireRight = async () => {}
  ): Promise<number> {
    const { generation, pieces } = await this.stored(id)
    await requireRight()
    const last = pieces.at(-1)
    let start = offset
    let held: Buffer[] = []
    let length = 0
    if (last !== undefined && last.size < this.bounds.pieceBytesMin) {
      start = last.offset
      length = last.size
      if (length > 0) held = [await this.bytesOf(last)]
    }
    const store = async () => {
      await this.put(keyOf(id, generation, start), Buffer.concat(held))
      start += length
      held = []
      length = 0
    }
    try {
      for await (const chunk of bytes as AsyncIterable<Buffer>) {
        held.push(chunk)
        length += chunk.length
        if (length >= this.bounds.pieceBytesMax) await store()
      }
    } finally {
      // Not what was there before.
      if (length > 0 && start + length > offset) await store()
    }
    return start
  }

  async fence (id: string): Promise<void> {
    const { generation, pieces } = await this.stored(id)
    for (const piece of pieces) await this.put(keyOf(id, generation + 1, piece.offset), await this.bytesOf(piece))
    for (const { key } of pieces) await this.delete(key)
  }

  async read (id: string, start: number, end: number): Promise<Readable | undefined> {
    const { pieces } = await this.stored(id)
    if (end > (endOf(pieces) ?? -1)) return undefined
    return Readable.from(this.parts(pieces, start, end), { objectMode: false })
  }

  async sync (): Promise<boolean> {
    // A put is answered when the object is safe.
    return true
  }

  async remove (id: string): Promise<void> {
    for (const { key } of await this.list(id)) await this.delete(key)
  }

  async * ids (): AsyncIterable<string> {
    let before = ''
    for (let token: string | undefined; ;) {
      const page = await this.ask(() => this.bucket.listObjectsPaged('/', '', 1_000, token))
      for (const { Key } of page.objects ?? []) {
        const [, id] = pieceKey.exec(Key) ?? []
        if (id !== undefined && id !== before) yield id
        before = id ?? before
      }
      token = page.nextContinuationToken
      if (token === undefined) return
    }
  }

  async isHeld (): Promise<boolean> {
    return false
  }

  async free (): Promise<number> {
    return Infinity
  }

  async check (): Promise<void> {
    await this.ask(() => this.bucket.listObjectsPaged('/', '', 1))
  }

  private async ask<R> (request: () => Promise<R>): Promise<NonNullable<R>> {
    const answer = await request().catch((error: unknown) => { throw this.failed(error) })
    // Of a list only: what looks like an empty bucket would be the end of all files.
    if (answer == null) throw this.failed(new Error('There is no such bucket'))
    this.isUp = true
    return answer
  }

  /** If the bucket fails, the request is not at fault, and can be repeated. */
  private failed (cause: unknown): TidelogError {
    this.isUp = false
    return new TidelogError('UNAVAILABLE', 'The storage of the files is not available', { cause, retryAfterMs })
  }

  private async * parts (pieces: Piece[], start: number, end: number): AsyncGenerator<Uint8Array> {
    for (const { key, offset, size } of pieces) {
      yield * this.part(key, Math.max(start - offset, 0), Math.min(end - offset, size))
    }
  }

  /** A part of an object. If the service breaks off, for a slow reader for example, the rest is requested. */
  private async * part (key: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = start, tries = 1; at < end; tries++) {
      try {
        const { body } = await this.ask(() => this.reads.getObjectRaw(key, false, at, end))
        for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
          at += chunk.length
          tries = 0
          yield chunk
        }
      } catch (error) {
        if (tries === readTriesMax) throw error instanceof TidelogError ? error : this.failed(error)
      }
      if (tries === readTriesMax) throw this.failed(new Error(`The object ${key} is shorter than it was listed`))
    }
  }

  private async bytesOf ({ key }: Piece): Promise<Buffer> {
    return await this.ask(async () => Buffer.from(await (await this.objects.getObjectRaw(key)).arrayBuffer()))
  }

  private async put (key: string, bytes: Buffer): Promise<void> {
    await this.ask(() => this.objects.putObject(key, bytes))
  }

  private async delete (key: string): Promise<void> {
    await this.ask(() => this.bucket.deleteObject(key))
  }

  /** The pieces of the last generation that follow each other without a gap. */
  private async stored (id: string): Promise<Stored> {
    const all = await this.list(id)
    const generation = Math.max(0, ...all.map(piece => piece.generation))
    const pieces: Piece[] = []
    for (const piece of all) {
      if (piece.generation === generation && piece.offset === (endOf(pieces) ?? 0)) pieces.push(piece)
    }
    return { generation, pieces }
  }

  private async list (id: string): Promise<Array<Piece & { generation: number }>> {
    const objects = await this.ask(() => this.bucket.listObjects('/', `${id}/`))
    return objects.flatMap(({ Key: key, Size }) => {
      const [, , generation = 0, offset] = pieceKey.exec(key) ?? []
      if (offset === undefined) return []
      return [{ key, generation: Number(generation), offset: Number(offset), size: Number(Size) }]
    }).sort((a, b) => a.offset - b.offset)
  }
}

/** Gives up if nothing of an answer comes in time. */
async function fetchBeginning (msMax: number, ...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  const late = new AbortController()
  const timer = setTimeout(() => { late.abort(new Error(`No answer in ${msMax} ms`)) }, msMax)
  try {
    return await fetch(input, { ...init, signal: late.signal })
  } finally {
    clearTimeout(timer)
  }
}

function endOf (pieces: Piece[]): number | undefined {
  const last = pieces.at(-1)
  return last === undefined ? undefined : last.offset + last.size
}

function keyOf (id: string, generation: number, offset: number): string {
  return `${id}/${generation === 0 ? '' : `${generation}-`}${String(offset).padStart(offsetDigits, '0')}`
}
