/**
 * The app in a frame of another application's page, which says who its user is. Only pages that the server names
 * (EMBED_ORIGINS) may frame it, so whoever is asked here may answer.
 */
export const isEmbedded = window.parent !== window

/** The page shows one conversation, and nothing around it. */
export const isSingle = isEmbedded && /\/c\/[^/]+$/.test(location.pathname)

/** Milliseconds in which the page must answer. */
const answerMs = 30_000
let asked = 0

/** Asks the page for its user's token. @param stale the last one was refused */
export function hostToken (stale = false): Promise<string> {
  const id = ++asked
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      removeEventListener('message', hear)
    }
    const timer = setTimeout(() => {
      end()
      reject(new Error('The page around this chat does not say who its user is'))
    }, answerMs)
    const hear = ({ source, data }: MessageEvent<{ type?: unknown; id?: unknown; token?: unknown } | null>) => {
      if (source !== window.parent || data?.type !== 'tidelog-token' || data.id !== id) return
      end()
      if (typeof data.token === 'string') resolve(data.token)
      else reject(new Error('The page around this chat has no token'))
    }
    addEventListener('message', hear)
    window.parent.postMessage({ type: 'tidelog-token', id, stale }, '*')
  })
}

export function tellUnread (count: number): void {
  if (isEmbedded) window.parent.postMessage({ type: 'tidelog-unread', count }, '*')
}
