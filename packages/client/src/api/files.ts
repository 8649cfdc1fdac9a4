import type { Core } from '../core.ts'
import type { Files } from '../types.ts'
import { lazily } from './lazily.ts'
import type { UploadState } from './upload-state.ts'

export function filesApi (core: Core, uploads: UploadState): Files {
  return {
    progress: uploads.progress,
    pending: async id => await core.signedIn.file(id),
    ...lazily<Pick<Files, 'prepare'>>({ prepare: true }, async () =>
      ({ prepare: (await import('../media/prepare.ts')).prepareFile })),
    ...lazily<Pick<Files, 'get' | 'link' | 'upload'>>({ get: true, link: true, upload: true }, async () =>
      (await import('./file-calls.ts')).fileCalls(core))
  }
}
