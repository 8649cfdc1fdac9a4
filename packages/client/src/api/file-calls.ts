import type { Core } from '../core.ts'
import { isPassing, uploadRest } from '../network/tus.ts'
import type { Parts } from '../parts.ts'
import type { WireAttachment } from '../pure/wire.ts'
import { asTidelogError, backoffMs, newId, sleep, toAttachment } from '../shared.ts'
import type { Attachment, Files, UploadOptions } from '../types.ts'
import { UrlCache } from './file-urls.ts'

/** Failures in a row after which an upload that somebody waits for has failed. */
const triesMax = 6

export function fileCalls ({ core }: Parts): Pick<Files, 'get' | 'url' | 'upload'> {
  const urls = new UrlCache(core)
  return {
    get: (id, { signal } = {}) => fileOf(core, id, signal),
    url: (id, given) => urls.get(id, given),
    upload: async (file, given = {}) => await fileOf(core, await upload(core, file, given), given.signal)
  }
}

async function fileOf ({ http }: Core, id: string, signal: AbortSignal | undefined): Promise<Attachment> {
  return toAttachment((await http.call<{ file: WireAttachment }>('GET', `/api/files/${id}`, { signal })).file)
}

async function upload (
  { http, clock, random }: Core, blob: Blob, { name, onProgress, signal }: UploadOptions
): Promise<string> {
  const key = newId(random)
  let id: string | undefined
  let failures = 0
  let sent = 0
  for (;;) {
    try {
      return await uploadRest({
        http,
        clock,
        blob,
        name: name ?? (blob as Partial<File>).name ?? '',
        key,
        id,
        signal,
        onBegun: async begun => { id = begun },
        onProgress: now => {
          if (now > sent) failures = 0
          sent = now
          onProgress?.(now, blob.size)
        }
      })
    } catch (thrown) {
      const error = asTidelogError(thrown)
      if (!isPassing(error) || ++failures >= triesMax) throw error
      await sleep(clock, Math.max(error.retryAfterMs ?? 0, backoffMs(random, failures)), signal)
    }
  }
}
