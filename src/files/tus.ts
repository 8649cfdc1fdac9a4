import { Readable } from 'node:stream'
import { DataStore, ERRORS, Server, Upload } from '@tus/server'
import { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { FilesContext } from './context.ts'
import type { FileRow } from './file-row.ts'
import { markGone, requireSpace } from './quota.ts'
import { discard } from './sweep.ts'
import { drainMs, requireLocked } from './upload-locks.ts'
import { beginUpload, finishUpload, storedBytes } from './upload.ts'

/** One call of the tus protocol, by a user who may make it. */
export interface TusCall {
  method: 'POST' | 'HEAD' | 'PATCH'
  userId: ObjectId
  /** Of the request; those that are not of the protocol are ignored. */
  headers: Record<string, string | string[] | undefined>
  body: Readable
  /** Missing with POST. */
  file?: FileRow
}

export interface TusAnswer {
  status: number
  headers: Record<string, string>
}

/** The result of a call, collected by the hooks of the library. */
interface Course {
  call: TusCall
  begun?: FileRow
  /** It has begun nothing, because this upload was begun before. */
  repeated?: FileRow
  finished?: FileRow
  error?: unknown
}

const headersUsed = [
  'tus-resumable', 'upload-length', 'upload-defer-length', 'upload-offset', 'upload-metadata', 'upload-concat',
  'content-length', 'content-type'
]

/**
 * Uploads that can be resumed: the tus protocol (version 1.0.0) by its own library, over our rows. The library keeps
 * the protocol and writes the bytes; who may, how much, and what becomes of a file is decided here.
 */
export class TusUploads {
  private readonly context: FilesContext
  private readonly server: Server
  private readonly courses = new WeakMap<Request, Course>()

  constructor (context: FilesContext) {
    this.context = context
    this.server = new Server({
      path: '/api/files',
      datastore: new Store(context),
      locker: context.locks,
      lockDrainTimeout: drainMs,
      generateUrl: (_request, { id }) => locationOf(id),
      getFileIdFromRequest: ({ url }) => new URL(url).pathname.split('/').at(-1)!,
      // The library turns every error into a text. Errors that are not its own are kept, to be thrown unchanged.
      onResponseError: (request, error) => {
        if (error instanceof Error && !('status_code' in error)) this.courses.get(request)!.error = error
        return undefined
      },
      namingFunction: async (request, metadata) => {
        const course = this.courses.get(request)!
        const { row, isRepeated } = await beginUpload(context, course.call.userId, {
          name: metadata?.['filename'] ?? metadata?.['name'],
          size: Number(request.headers.get('upload-length')),
          uploadId: metadata?.['uploadId']
        })
        course[isRepeated ? 'repeated' : 'begun'] = row
        // The library must not write to an upload that it takes for a new one.
        if (isRepeated) throw new Error('begun before')
        return row._id.toHexString()
      },
      onUploadFinish: async request => {
        const course = this.courses.get(request)!
        course.finished = await finishUpload(context, course.begun ?? course.call.file!)
        return {}
      }
    })
  }

  /** @throws TidelogError what the protocol or the limits refuse */
  async answer (call: TusCall): Promise<TusAnswer> {
    if (call.method === 'PATCH') await requireSpace(this.context, Number(call.headers['content-length'] ?? 0))
    const course: Course = { call }
    const response = await this.run(course)
    if (course.repeated !== undefined) return await this.answerRepeated(course.repeated)
    return {
      status: response.status,
      headers: Object.fromEntries([...response.headers].filter(([name]) => !/^(access-control-|content-)/.test(name)))
    }
  }

  private async run (course: Course): Promise<Response> {
    const request = requestOf(course.call)
    this.courses.set(request, course)
    const response = await this.server.handleWeb(request as Parameters<Server['handleWeb']>[0])
    if (response.status >= 400 && course.repeated === undefined) throw await this.refusal(course, response)
    return response
  }

  /** The answer to a repeated creation: the client continues from the bytes that are stored. */
  private async answerRepeated (row: FileRow): Promise<TusAnswer> {
    const headers = {
      'tus-resumable': '1.0.0',
      location: locationOf(row._id.toHexString()),
      'upload-offset': String(await storedBytes(this.context, row))
    }
    return { status: 201, headers }
  }

  /**
   * Takes a file that is the body of one request. If it does not come whole, nothing of it is kept.
   * @throws TidelogError what the limits refuse; VALIDATION without a length
   */
  async takeWhole (userId: ObjectId, name: string, size: number, body: Readable): Promise<FileRow> {
    if (!Number.isSafeInteger(size)) throw new TidelogError('VALIDATION', 'Send the file with its Content-Length')
    const course: Course = {
      call: {
        method: 'POST',
        userId,
        headers: {
          'tus-resumable': '1.0.0',
          'upload-length': String(size),
          'content-length': String(size),
          'content-type': 'application/offset+octet-stream',
          'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`
        },
        body
      }
    }
    try {
      await this.run(course)
      if (course.finished === undefined) throw new TidelogError('VALIDATION', 'The body ended too early')
      return course.finished
    } catch (error) {
      const { begun } = course
      if (begun !== undefined && await markGone(this.context, begun)) await discard(this.context, begun)
      throw error
    }
  }

  private async refusal ({ error }: Course, response: Response): Promise<unknown> {
    if (error !== undefined) return error
    const text = (await response.text()).trim()
    switch (response.status) {
      case 404:
      case 410: return new TidelogError('NOT_FOUND')
      case 409: return new TidelogError('CONFLICT', 'Upload-Offset is not the number of bytes stored: ask with HEAD')
      case 413: return new TidelogError('TOO_LARGE', 'This is more than Upload-Length says')
      case 412: return new TidelogError('VALIDATION', 'Tus-Resumable must be 1.0.0')
      // It waited for the lock in vain.
      case 500: return new TidelogError('LOCKED', undefined, { retryAfterMs: drainMs })
      default: return new TidelogError('VALIDATION', text)
    }
  }
}

/** Relative to the request, so that it is right under any path of a proxy. */
const locationOf = (id: string) => `files/${id}`

/** What the library knows of uploads. Their rows are there before it asks, and are ended by us. */
class Store extends DataStore {
  // Without a length, nothing could be taken from the quota.
  override extensions = ['creation', 'creation-with-upload']
  private readonly context: FilesContext

  constructor (context: FilesContext) {
    super()
    this.context = context
  }

  override async create (upload: Upload): Promise<Upload> {
    await this.context.blobs.create(upload.id)
    return upload
  }

  override async getUpload (id: string): Promise<Upload> {
    const { files, blobs } = this.context
    const row = await files.findOne({ _id: ObjectId.createFromHexString(id), state: { $ne: 'gone' } })
    const offset = row === null ? undefined : await blobs.size(id)
    if (row === null || offset === undefined) throw ERRORS.FILE_NOT_FOUND
    const { size, name, createdAt } = row
    return new Upload({ id, size, offset, metadata: { filename: name }, creation_date: createdAt.toISOString() })
  }

  override async write (bytes: Readable, id: string, offset: number): Promise<number> {
    const requireRight = async () => { await requireLocked(this.context, new ObjectId(id)) }
    const end = await this.context.blobs.write(id, offset, bytes, requireRight)
    // What another node has fenced off has not arrived.
    await requireRight()
    return end
  }
}

function requestOf ({ method, headers, body, file }: TusCall): Request {
  const used = headersUsed.flatMap(name => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value] as [string, string]] : []
  })
  const hasBody = method === 'POST' || method === 'PATCH'
  // Only the path is looked at.
  return new Request(`http://localhost/api/files${file === undefined ? '' : `/${file._id.toHexString()}`}`, {
    method, headers: used, ...(hasBody ? { body: Readable.toWeb(body) as ReadableStream, duplex: 'half' } : {})
  } as RequestInit)
}
