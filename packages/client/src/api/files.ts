import type { Core } from '../core.ts'
import type { Files } from '../types.ts'
import type { UploadState } from './upload-state.ts'

/** What handles files is loaded when it is used first. */
export function filesApi (core: Core, uploads: UploadState): Files {
  let loaded: Promise<Pick<Files, 'get' | 'link' | 'upload'>> | undefined
  const calls = () => {
    loaded ??= import('./file-calls.ts').then(({ fileCalls }) => fileCalls(core))
    // Without a connection it is tried again.
    loaded.catch(() => { loaded = undefined })
    return loaded
  }
  return {
    progress: uploads.progress,
    pending: async id => await core.signedIn.file(id),
    prepare: async (...given) => await (await import('../media/prepare.ts')).prepareFile(...given),
    get: async (...given) => await (await calls()).get(...given),
    link: async (...given) => await (await calls()).link(...given),
    upload: async (...given) => await (await calls()).upload(...given)
  }
}
