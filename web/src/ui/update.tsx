import { signal } from '@preact/signals'
import { texts } from '../i18n/index.ts'
import { base } from '../router.ts'

/** The service worker of a newer version, installed and waiting. */
const waiting = signal<ServiceWorker | undefined>(undefined)

/** Says that there is a newer version; it comes with a reload, when the reader wants it. */
export function UpdatePrompt () {
  const worker = waiting.value
  const t = texts.value.app
  if (worker === undefined) return null
  return (
    <div class='update' role='alert'>
      <span class='grow'>{t.update}</span>
      <button
        type='button'
        class='btn bare sm'
        onClick={() => {
          waiting.value = undefined
        }}
      >
        {t.updateLater}
      </button>
      <button
        type='button'
        class='btn main sm'
        onClick={() => {
          worker.postMessage('activate')
        }}
      >
        {t.updateNow}
      </button>
    </div>
  )
}

/** Registers the service worker, so that the app opens without a connection; call once, after the first paint. */
export async function startServiceWorker (): Promise<void> {
  if (navigator.serviceWorker === undefined) return
  const address = `${base}sw.js`
  // The page admits no script addresses as plain strings; this policy admits the one.
  const policy = globalThis.trustedTypes?.createPolicy('tidelog', {
    createScriptURL: wanted => {
      if (wanted !== address) throw new TypeError(wanted)
      return wanted
    }
  })
  const hadController = navigator.serviceWorker.controller !== null
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (hadController) location.reload()
  })
  const registration = await navigator.serviceWorker.register(
    (policy?.createScriptURL(address) ?? address) as string,
    { scope: base, updateViaCache: 'none' }
  )
  const note = () => {
    if (registration.waiting !== null && navigator.serviceWorker.controller !== null) {
      waiting.value = registration.waiting
    }
  }
  note()
  registration.addEventListener('updatefound', () => {
    const { installing } = registration
    installing?.addEventListener('statechange', note)
  })
}

declare global {
  // Chromium and Safari have it.
  var trustedTypes:
    | {
      createPolicy: (
        name: string,
        rules: { createScriptURL: (address: string) => string }
      ) => { createScriptURL: (address: string) => unknown }
    }
    | undefined
}
