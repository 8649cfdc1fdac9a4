import { render } from 'preact'
import { App } from './app.tsx'
import { startKeyboard } from './keyboard.ts'
import { go, href, paths, route, startRouter } from './router.ts'
import { client } from './state/client.ts'
import { watchConnection } from './state/away.ts'
import { startBackgroundSync } from './state/background.ts'
import { isEmbedded } from './state/embedded.ts'
import { startFreezing } from './state/freeze.ts'
import { startTelling } from './state/notifications.ts'
import { applyPreferences } from './state/preferences.ts'
import { noteFullStorage } from './state/view.ts'
import { startServiceWorker } from './ui/update.tsx'
import './look/tokens.css'
import './look/base.css'
import './look/controls.css'
import './look/list.css'
import './look/message.css'
import './look/composer.css'
import './look/over.css'
import './look/screens.css'
import './look/more.css'
import './look/states.css'
import './look/app.css'

startRouter()
void start()

/** Not awaited by this module: the texts of another language are a file that imports from this one. */
async function start (): Promise<void> {
  const [user] = await Promise.all([client.resume().catch(() => null), applyPreferences()])
  const { page } = route.value
  if (user === null && page !== 'signUp' && !isEmbedded) go(paths.signIn(), { replace: true })
  if (user !== null && page === 'signIn' && client.session.get().state === 'signedIn') {
    go(paths.home(), { replace: true })
  }
  watchConnection()
  const root = document.getElementById('app')
  // The mark that the page shows by itself until now.
  root?.replaceChildren()
  if (root !== null) render(<App />, root)
  startKeyboard()
  startTelling()
  startFreezing()
  startBackgroundSync()
  if (user !== null) await client.start()
}

client.on('removed', ({ conversationId }) => {
  if (route.value.page === 'conversation' && route.value.id === conversationId) go(paths.home(), { replace: true })
})
client.on('error', ({ code }) => {
  if (code === 'STORAGE') noteFullStorage()
})
navigator.serviceWorker?.addEventListener('message', event => {
  const path: unknown = (event.data as { path?: unknown } | null)?.path
  if (typeof path === 'string' && path.startsWith(href('/'))) go(`/${path.slice(href('/').length)}`)
})
void navigator.storage?.persist?.().catch(() => undefined)
requestIdleCallback?.(() => {
  if (!isEmbedded) void startServiceWorker().catch(() => undefined)
})
