import { back, go, lastConversation, paths, route } from './router.ts'
import { client } from './state/client.ts'
import { showsFaults, showsShortcuts } from './state/view.ts'

/** The keys that act anywhere in the app. */
export function startKeyboard (): void {
  document.addEventListener('keydown', event => {
    if (event.isComposing || event.defaultPrevented || client.session.get().state === 'signedOut') return
    const isCommand = event.ctrlKey || event.metaKey
    const key = event.key.toLowerCase()
    if (isCommand && event.shiftKey && key === 'o') go(paths.new())
    else if (isCommand && event.shiftKey && key === 'f') showsFaults.value = !showsFaults.value
    else if (isCommand && !event.shiftKey && !event.altKey && key === 'k') go(paths.search())
    else if (event.altKey && (key === 'arrowup' || key === 'arrowdown')) step(key === 'arrowup' ? -1 : 1)
    else if (event.key === '?' && !isWriting(event.target)) showsShortcuts.value = true
    else if (key === 'escape') {
      if (!leave()) return
    } else if (isText(event) && !isWriting(event.target) && document.querySelector('dialog[open]') === null) {
      // Who begins to type in a conversation wants to write in it.
      if (document.activeElement?.closest('article, [role=log]') !== null) return
      document.getElementById('composer')?.focus()
      return
    } else return
    event.preventDefault()
  })
}

/** To the conversation above or below in the list. */
function step (by: 1 | -1): void {
  const ids = client.conversations
    .get()
    .filter(summary => !summary.settings.archived)
    .map(summary => summary.id)
  const at = ids.indexOf(lastConversation.value ?? '')
  const next = ids[at < 0 ? 0 : at + by]
  if (next !== undefined) go(paths.conversation(next), { replace: at >= 0 })
}

/** Escape goes back from a panel or a page to the conversation. */
function leave (): boolean {
  const now = route.value
  if (now.page === 'conversation' && now.panel !== undefined) back(paths.conversation(now.id))
  else if (now.page === 'search' || now.page === 'settings' || now.page === 'new') {
    back(lastConversation.value === undefined ? paths.home() : paths.conversation(lastConversation.value))
  } else return false
  return true
}

function isWriting (target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null
}

const isText = (event: KeyboardEvent): boolean =>
  [...event.key].length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey
