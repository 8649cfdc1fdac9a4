import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import type { Blobs } from '../../src/files/blobs.ts'
import type { DiskBlobs } from '../../src/files/disk-blobs.ts'
import type { TestApp } from './app.ts'

/** A picture of one red pixel. */
export const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64'
)

/** The folder of the blobs of a server that has them on disk. */
export function folderOf ({ blobs }: { blobs: Blobs }): string {
  return (blobs as DiskBlobs).folder
}

export interface UploadAnswer {
  status: number
  // A test checks the form of a body itself.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any
}

/** Uploads a file as the body of one request. */
export async function upload (
  { url }: Pick<TestApp, 'url'>, token: string, content: Buffer | string, name = 'a.png',
  headers: Record<string, string> = {}
): Promise<UploadAnswer> {
  const answer = await fetch(`${url}/api/files?name=${encodeURIComponent(name)}`, {
    method: 'POST', headers: { authorization: `Bearer ${token}`, ...headers }, body: content
  })
  return { status: answer.status, body: await answer.json() }
}

/** The id of an uploaded file; by default of bytes that nobody has sent before. */
export async function uploaded (
  test: Pick<TestApp, 'url'>, token: string, content: Buffer | string = randomBytes(100), name?: string
): Promise<string> {
  const { status, body } = await upload(test, token, content, name)
  if (status !== 201) throw new Error(`the upload answered ${status}: ${JSON.stringify(body)}`)
  return body.file._id
}

/** The content of a file. */
export async function contentOf (
  { url }: Pick<TestApp, 'url'>, id: string, token?: string, headers: Record<string, string> = {}
): Promise<{ status: number, headers: Headers, bytes: Buffer }> {
  const answer = await fetch(`${url}/api/files/${id}/content`, {
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers }
  })
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
}

/** Begins an upload that can be resumed. @returns its address, and its offset if the server says it */
export async function begin (
  { url }: Pick<TestApp, 'url'>, token: string, size: number, name = 'a.bin', uploadId?: string
): Promise<{ status: number, at: string, offset: string | null, code?: string }> {
  const metadata = Object.entries({ filename: name, ...(uploadId === undefined ? {} : { uploadId }) })
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
  const answer = await fetch(`${url}/api/files`, {
    method: 'POST',
    headers: { ...tus(token), 'upload-length': String(size), 'upload-metadata': metadata.join() }
  })
  const { status, headers } = answer
  const body = await answer.text()
  return {
    status,
    at: new URL(headers.get('location') ?? '', `${url}/api/files`).href,
    offset: headers.get('upload-offset'),
    ...(status < 400 ? {} : { code: (JSON.parse(body) as { code: string }).code })
  }
}

/** How many bytes of an upload are stored. */
export async function offsetOf (at: string, token: string): Promise<{ status: number, offset: number }> {
  const { status, headers } = await fetch(at, { method: 'HEAD', headers: tus(token) })
  return { status, offset: Number(headers.get('upload-offset')) }
}

/** Sends the bytes of an upload from an offset on. */
export async function goOn (at: string, token: string, offset: number, bytes: Buffer): Promise<number> {
  const answer = await fetch(at, {
    method: 'PATCH',
    headers: {
      ...tus(token), 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream'
    },
    body: bytes
  })
  await answer.text()
  return answer.status
}

function tus (token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' }
}

/** A PATCH whose body comes when the test sends it, and the status of its answer; undefined if it gets none. */
export function openPatch (at: string, token: string, offset: number, length: number) {
  const sending = request(at, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${token}`,
      'tus-resumable': '1.0.0',
      'upload-offset': offset,
      'content-length': length,
      'content-type': 'application/offset+octet-stream'
    }
  })
  sending.on('error', () => {})
  const status = Promise.race([once(sending, 'response'), once(sending, 'close').then(() => [undefined])])
    .then(([answer]) => (answer as { statusCode: number } | undefined)?.statusCode)
  // A test that breaks the link does not ask for it.
  status.catch(() => {})
  return { sending, status }
}
