import { createHmac, timingSafeEqual } from 'node:crypto'

/** Milliseconds on which links end, so that those of one hour are alike and a browser's cache knows them. */
const hourMs = 3_600_000

export interface FileLink {
  /** On this server: a path with its query. */
  url: string
  expiresAt: Date
}

/** What a link says beside the file: when it ends, in seconds since 1970, and the signature. */
export interface LinkProof {
  e: number
  s: string
}

/** A link with which anybody can read the file for one to two hours. @param key signs it */
export function makeLink (key: Buffer, fileId: string, now: number): FileLink {
  const endMs = (Math.floor(now / hourMs) + 2) * hourMs
  const e = endMs / 1_000
  return {
    url: `/api/files/${fileId}/content?e=${e}&s=${sign(key, fileId, e).toString('base64url')}`,
    expiresAt: new Date(endMs)
  }
}

/** Was this link made here, for this file, and is it still good? */
export function isGoodLink (key: Buffer, fileId: string, { e, s }: LinkProof, now: number): boolean {
  const given = Buffer.from(s, 'base64url')
  const right = sign(key, fileId, e)
  return given.length === right.length && timingSafeEqual(given, right) && e * 1_000 > now
}

function sign (key: Buffer, fileId: string, e: number): Buffer {
  return createHmac('sha256', key).update(`${fileId} ${e}`).digest().subarray(0, 16)
}
