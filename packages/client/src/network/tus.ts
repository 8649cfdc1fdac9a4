import { TidelogError, failureOf, readAnswer } from '../shared.ts'
import type { Clock } from '../types.ts'
import type { Http } from './http.ts'

/**
 * Uploads that continue where they were interrupted: version 1.0.0 of the tus protocol. After every failure the client
 * asks the server how much it has.
 */

export interface UploadRest {
  http: Http
  clock: Clock
  blob: Blob
  name: string
  /** Of this upload, whatever becomes of an answer: a creation that is repeated with it is the same upload. */
  key: string
  /** Of an upload that was begun; undefined: none was. */
  id: string | undefined
  /** A new one was begun: it is to be kept, so that it can be gone on with. */
  onBegun: (id: string) => Promise<void>
  /** Bytes that the server has. */
  onProgress: (sent: number) => void
  signal?: AbortSignal | undefined
}

const version = '1.0.0'
const required = 'tus-resumable'
/** Bytes of one request: as many as pass in about a second, because progress is known between requests. */
const pieceMin = 65_536
const pieceMax = 8 * 1_024 * 1_024
const pieceFirst = 262_144
/** Milliseconds for one piece over the worst connection; what came of it stays on the server. */
const pieceTimeoutMs = 120_000

/** Uploads what is missing of a file. @returns its id @throws TidelogError */
export async function uploadRest (upload: UploadRest): Promise<string> {
  const stored = upload.id === undefined ? undefined : await offsetOf(upload, upload.id)
  const { id, offset } = stored === undefined ? await begin(upload) : { id: upload.id!, offset: stored }
  await sendPieces(upload, id, offset)
  return id
}

/** The same may succeed later. 409: the server has another part of it than was thought, and is asked. */
export function isPassing ({ retryable, status }: TidelogError): boolean {
  return retryable || status === 409
}

/** Gives up an upload, or a file that no message has. */
export async function endUpload (http: Http, id: string): Promise<void> {
  await http.call('DELETE', `/api/files/${id}`, { headers: { [required]: version } }, headersWith(required))
}

async function begin (
  { http, blob, name, key, onBegun, signal }: UploadRest
): Promise<{ id: string, offset: number }> {
  const metadata = `filename ${base64(name)},uploadId ${base64(key)}`
  const headers = await http.call('POST', '/api/files', {
    signal,
    headers: { [required]: version, 'upload-length': String(blob.size), 'upload-metadata': metadata }
  }, headersWith('location'))
  const id = headers.get('location')!.split('/').at(-1)!
  if (!/^[0-9a-f]{24}$/.test(id)) throw new TidelogError({ code: 'BAD_ANSWER' })
  await onBegun(id)
  // Only the answer to a repeated creation has it.
  return { id, offset: Number(headers.get('upload-offset') ?? 0) }
}

/** Undefined: the server does not have this upload any more. */
async function offsetOf ({ http, signal }: UploadRest, id: string): Promise<number | undefined> {
  try {
    const request = { signal, headers: { [required]: version } }
    const headers = await http.call('HEAD', `/api/files/${id}`, request, headersWith('upload-offset'))
    return Number(headers.get('upload-offset'))
  } catch (error) {
    if (error instanceof TidelogError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

async function sendPieces (upload: UploadRest, id: string, from: number): Promise<void> {
  const { http, clock, blob, onProgress, signal } = upload
  let piece = pieceFirst
  for (let offset = from; offset < blob.size;) {
    onProgress(offset)
    const began = clock.now()
    const headers = await http.call('PATCH', `/api/files/${id}`, {
      signal,
      timeoutMs: pieceTimeoutMs,
      bytes: blob.slice(offset, offset + piece, 'application/offset+octet-stream'),
      headers: {
        [required]: version, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream'
      }
    }, headersWith('upload-offset'))
    const next = Number(headers.get('upload-offset'))
    if (!(next > offset)) throw new TidelogError({ code: 'BAD_ANSWER' })
    offset = next
    const tookMs = clock.now() - began
    if (tookMs < 500) piece = Math.min(pieceMax, piece * 2)
    else if (tookMs > 2_000) piece = Math.max(pieceMin, piece / 2)
  }
  onProgress(blob.size)
}

function base64 (text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}

const codes: Record<number, string> = { 401: 'INVALID_TOKEN', 404: 'NOT_FOUND', 429: 'RATE_LIMITED' }

/**
 * Reads an answer that stands in its headers. That to HEAD has no body, so a failure has its status alone.
 * @param required a header that the server sets and nothing on the way does
 */
function headersWith (required: string): (response: Response, text: string) => Headers {
  return (response, text) => readHeaders(response, text, required)
}

function readHeaders (response: Response, text: string, required: string): Headers {
  const { status, headers } = response
  if (status < 300 && headers.has(required)) return headers
  if (status < 300 || text !== '') return readAnswer<never>(response, text === '' ? '{}' : text)
  const code = codes[status] ?? 'UNAVAILABLE'
  const body = { success: false as const, code, message: code, retryable: status !== 401 && status !== 404 }
  throw failureOf(body, status, headers.get('retry-after'))
}
