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
 * The content of a file, or the part of it that the request wants. Whatever the file is, a browser runs nothing of it:
 * the type is that of the content, scripts are off, and what no browser shows safely is stored instead.
 */
export async function contentOf (
  { blobs }: FilesContext, { _id, name, type, size }: FileRow, { method, headers }: IncomingMessage
): Promise<FileContent> {
  const id = _id.toHexString()
  // What is under an id never changes.
  const etag = `"${id}"`
  const { 'if-none-match': known, 'if-range': expected = etag } = headers
  const about = {
    etag,
    'accept-ranges': 'bytes',
    'content-type': type!,
    'content-disposition': dispositionOf(name, { type: isInline(type!) ? 'inline' : 'attachment' }),
    'content-security-policy': "sandbox; default-src 'none'"
  }
  if (known !== undefined && isAmong(known, etag)) return { status: 304, headers: about, stream: Readable.from([]) }

  const range = expected === etag ? rangeOf(size, headers.range) : undefined
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { ...about, 'content-range': `bytes */${size}` }, stream: Readable.from([]) }
  }
  const { start, end } = range ?? { start: 0, end: size }
  const stream = method === 'HEAD' ? Readable.from([]) : await blobs.read(id, start, end)
  if (stream === undefined) throw new TidelogError('NOT_FOUND')
  const length = { ...about, 'content-length': end - start }
  if (range === undefined) return { status: 200, headers: length, stream }
  return { status: 206, headers: { ...length, 'content-range': `bytes ${start}-${end - 1}/${size}` }, stream }
}

/** From `start` to before `end`; undefined: everything, also for several ranges at once. */
function rangeOf (size: number, header = ''): { start: number, end: number } | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? []
  if (first === '' && last === '') return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size)
  return start < end ? { start, end } : 'unsatisfiable'
}

function isAmong (header: string, etag: string): boolean {
  return header.split(',').some(one => [etag, `W/${etag}`, '*'].includes(one.trim()))
}
