interface Target { addEventListener: (name: string, fn: (event: { persisted?: boolean }) => void) => void, removeEventListener: (name: string, fn: (event: { persisted?: boolean }) => void) => void }

const browser = globalThis as unknown as { window?: Target, document?: Target & { visibilityState: string } }

/**
 * Calls when a page has reason to look at its connection. `isBack`: it stood still until now.
 * @param onLost the device has no network: a socket does not notice for most of a minute
 */
export function onWake (fn: (isBack: boolean) => void, onLost: () => void): () => void {
  const { window, document } = browser
  if (window === undefined || document === undefined) return () => {}
  const listeners: Array<[Target, string, (event: { persisted?: boolean }) => void]> = [
    [window, 'online', () => { fn(false) }],
    [window, 'offline', () => { onLost() }],
    [window, 'focus', () => { fn(false) }],
    [window, 'pageshow', ({ persisted }) => { if (persisted === true) fn(true) }],
    [document, 'visibilitychange', () => { if (document.visibilityState === 'visible') fn(false) }],
    [document, 'resume', () => { fn(true) }]
  ]
  for (const [target, name, listener] of listeners) target.addEventListener(name, listener)
  return () => { for (const [target, name, listener] of listeners) target.removeEventListener(name, listener) }
}
