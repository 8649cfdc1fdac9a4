import type { Core } from '../core.ts'
import type { Files } from '../types.ts'

/** What handles files is loaded when it is used first. */
export function filesApi (core: Core): Files {
  let loaded: Promise<Files> | undefined
  const calls = () => {
    loaded ??= import('./file-calls.ts').then(({ fileCalls }) => fileCalls(core))
    // Without a connection it is tried again.
    loaded.catch(() => { loaded = undefined })
    return loaded
  }
  return {
    get: async (...given) => await (await calls()).get(...given),
    link: async (...given) => await (await calls()).link(...given),
    upload: async (...given) => await (await calls()).upload(...given)
  }
}
