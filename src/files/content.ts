import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { create as dispositionOf } from 'content-disposition'
import { TidelogError } from '../errors.ts'
import type { FilesContext } from './context.ts'
import type { FileRow } from './file-row.ts'
import { isInline } from './file-type.ts'

export interface FileContent {
  status: number
  headers: Record<string, string | number>
  stream: Readable
}

/**
 * The content of a file, or the part of it that the request wants (RFC 9110, sections 13 and 14). Whatever the file is,
 * a browser runs nothing of it: the type is that of the content, scripts are off, and what no browser shows safely is
 * stored instead.
 * @param caching the Cache-Control of an answer that is no refusal
 */
export async function contentOf (
  { blobs }: FilesContext, { _id, name, type, size }: FileRow, { method, headers }: IncomingMessage, caching: string
): Promise<FileContent> {
  const id = _id.toHexString()
  // What is under an id never changes.
  const etag = `"${id}"`
  const about = {
    etag,
    'accept-ranges': 'bytes',
    'cache-control': caching,
    'content-type': type!,
    'content-disposition': dispositionOf(name, { type: isInline(type!) ? 'inline' : 'attachment' }),
    'content-security-policy': "sandbox; default-src 'none'"
  }
  const without = (status: number, more: Record<string, string> = {}): FileContent => (
    { status, headers: { ...about, ...more }, stream: Readable.from([]) }
  )
  const { 'if-match': wanted, 'if-none-match': known, 'if-range': expected = etag } = headers
  if (wanted !== undefined && !tagsIn(wanted).some(tag => tag === etag || tag === '*')) {
    return without(412, { 'cache-control': 'no-store' })
  }
  if (known !== undefined && tagsIn(known).some(tag => tag === etag || tag === `W/${etag}` || tag === '*')) {
    return without(304)
  }
  const range = method === 'GET' && expected === etag ? rangeOf(size, headers.range) : undefined
  if (range === 'unsatisfiable') {
    return without(416, { 'cache-control': 'no-store', 'content-range': `bytes */${size}` })
  }
  const { start, end } = range ?? { start: 0, end: size }
  const stream = method === 'HEAD' ? Readable.from([]) : await blobs.read(id, start, end)
  if (stream === undefined) throw new TidelogError('NOT_FOUND')
  // So that an error of the bucket gets its own answer.
  await once(stream, 'readable')
  const length = { ...about, 'content-length': end - start }
  if (range === undefined) return { status: 200, headers: length, stream }
  return { status: 206, headers: { ...length, 'content-range': `bytes ${start}-${end - 1}/${size}` }, stream }
}

/**
 * From `start` to before `end`; undefined: everything, also for several ranges at once. (range-parser 1.3 refuses two
 * headers which are to be answered: a last byte before the first, and a suffix longer than the file. Version 2 needs
 * Node 22.)
 */
function rangeOf (size: number, header = ''): { start: number, end: number } | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header) ?? []
  if (first === '' && last === '') return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size)
  return start < end ? { start, end } : 'unsatisfiable'
}

/** No tag has a comma that matters: what is between two quotes is not ours. */
function tagsIn (header: string): string[] {
  return header.split(',').map(tag => tag.trim())
}
