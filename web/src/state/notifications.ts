import type { Message, Summary } from '@tidelog/client'
import { effect, signal } from '@preact/signals'
import { href, lastConversation, paths, route } from '../router.ts'
import { lineOf } from '../files/kinds.ts'
import { texts } from '../i18n/index.ts'
import { client } from './client.ts'
import { tellUnread } from './embedded.ts'
import { nameOf } from './people.ts'
import { notify, notifyRooms } from './preferences.ts'
import { say } from './view.ts'

type Permission = 'default' | 'granted' | 'denied'

export const mayNotify = signal<Permission>('Notification' in globalThis ? Notification.permission : 'denied')

/** Turns notifications on or off; asks the browser the first time. */
export async function askToNotify (on: boolean): Promise<void> {
  if (on && mayNotify.value === 'default') mayNotify.value = await Notification.requestPermission()
  notify.value = on && mayNotify.value === 'granted'
}

/** Tells of what is new: to screen readers in the open conversation, by a notification behind, in title and badge. */
export function startTelling (): void {
  client.on('message', message => {
    void tell(message)
  })
  client.conversations.subscribe(conversations => {
    unread.value = conversations
      .filter(summary => summary.kind !== 'common' && !isMuted(summary.settings.mutedUntil))
      .reduce((sum, summary) => sum + summary.unreadCount, 0)
    tellUnread(unread.value)
  })
  effect(() => {
    const name = texts.value.app.name
    const id = lastConversation.value
    const title = route.value.page === 'conversation' && id !== undefined ? titles.value.get(id) : undefined
    const count = unread.value > 0 ? `(${unread.value}) ` : ''
    document.title = count + (title === undefined || title === '' ? name : `${title} · ${name}`)
    if (unread.value > 0) void navigator.setAppBadge?.(unread.value).catch(() => undefined)
    else void navigator.clearAppBadge?.().catch(() => undefined)
  })
}

const unread = signal(0)
/** The names of conversations that have been shown, for the window's title. */
const titles = signal<ReadonlyMap<string, string>>(new Map())

export function noteTitle (id: string, title: string): void {
  if (titles.peek().get(id) !== title) titles.value = new Map(titles.peek()).set(id, title)
}

async function tell (message: Message): Promise<void> {
  if (message.isOwn) return
  const sender = nameOf(client.users.get(message.senderId).get())
  if (!document.hidden) {
    if (lastConversation.value === message.conversationId) say(texts.value.chat.arrived(sender, lineOf(message)))
    return
  }
  const summary = client.conversation(message.conversationId).summary.get()
  if (
    !notify.value ||
    mayNotify.value !== 'granted' ||
    summary === undefined ||
    summary.kind === 'common' ||
    !wants(summary, message)
  ) { return }
  const registration = await navigator.serviceWorker?.getRegistration()
  await registration?.showNotification(summary.kind === 'direct' ? sender : summary.title, {
    body: summary.kind === 'direct' ? lineOf(message) : texts.value.chat.arrived(sender, lineOf(message)),
    tag: message.conversationId,
    icon: href('/icon-192.png'),
    data: { path: href(paths.conversation(message.conversationId)) }
  })
}

/** By the conversation's settings, and by what the reader chose for this device. */
function wants ({ kind, settings }: Summary, { mentionsMe }: Message): boolean {
  if (isMuted(settings.mutedUntil) || settings.notify === 'none') return false
  return mentionsMe || (settings.notify === 'all' && (kind === 'direct' || notifyRooms.value))
}

function isMuted (until: number | null): boolean {
  return until !== null && until > Date.now()
}
