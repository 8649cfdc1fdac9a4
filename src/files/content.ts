import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { send } from '@fastify/send'
import { create as dispositionOf } from 'content-disposition'
import { TidelogError } from '../errors.ts'
import type { FilesContext } from './context.ts'
import type { FileRow } from './file-row.ts'
import { isInline } from './file-type.ts'

export interface FileContent {
  status: number
  headers: Record<string, string>
  stream: Readable
}

/**
 * The content of a file, or the part of it that the request wants. Whatever the file is, a browser runs nothing of it:
 * the type is that of the content, scripts are off, and what no browser shows safely is stored instead.
 */
export async function contentOf (
  { blobs }: FilesContext, { _id, name, type }: FileRow, request: IncomingMessage
): Promise<FileContent> {
  const sent = await send(request, `/${_id.toHexString()}`, {
    root: blobs.folder, cacheControl: false, lastModified: false, contentType: false
  })
  if (sent.type !== 'file' && sent.statusCode !== 416) throw new TidelogError('NOT_FOUND')
  const { 'Content-Type': _type, 'Content-Security-Policy': _policy, ...headers } = sent.headers
  return {
    status: sent.statusCode,
    headers: {
      ...headers,
      'content-type': type!,
      'content-disposition': dispositionOf(name, { type: isInline(type!) ? 'inline' : 'attachment' }),
      'content-security-policy': "sandbox; default-src 'none'"
    },
    stream: sent.stream
  }
}
