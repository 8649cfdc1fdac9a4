import { texts } from '../i18n/index.ts'
import { go, paths, route } from '../router.ts'
import { isAway } from '../state/away.ts'
import { client } from '../state/client.ts'
import { useLater } from '../state/load.ts'
import { nameOf } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { cannotStore, isWide } from '../state/view.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'

const crest = `M0 6${'q10 -7 20 0t20 0'.repeat(16)}`

/** The water at the foot of the list: still when all is here, moving while it syncs, gone without a connection. */
export function Tide () {
  const t = texts.value
  const session = useReadable(client.session)
  const connection = useReadable(client.connection)
  const outbox = useReadable(client.outbox)
  const isDry = isAway.value || session.state === 'expired'
  const isSyncing = useLater(connection.state === 'syncing', 300)
  const waiting = outbox.filter(operation => operation.type === 'send' && operation.state !== 'failed').length
  const status = cannotStore.value
    ? t.errors.STORAGE
    : session.state === 'expired'
      ? t.tide.expired
      : isDry
        ? waiting > 0
          ? t.tide.offlineWaiting(waiting)
          : t.tide.offline
        : isSyncing
          ? t.tide.syncing
          : t.tide.live
  return (
    <footer class={`tide ${isDry ? 'dry' : isSyncing ? 'syncing' : 'live'}`}>
      <svg class='sea' viewBox='0 0 640 12' preserveAspectRatio='none' aria-hidden='true'>
        <path class='w0' d={`${crest}V12H0z`} transform='translate(-13 -3)' />
        <path class='w1' d={`${crest}V12H0z`} />
        <path class='w2' d={crest} />
      </svg>
      {isWide.value && <Avatar user={session.user} id={session.user?.id ?? ''} size='md' withPresence />}
      <div class='grow'>
        {isWide.value && (
          <div class='who cut' dir='auto'>
            {nameOf(session.user)}
          </div>
        )}
        <div class={isWide.value ? 'st' : 'who lone'} role='status'>
          {isDry && <Icon small name='cloudOff' />}
          <span class='cut'>{status}</span>
        </div>
      </div>
      {isDry && session.state !== 'expired' && (
        <button
          type='button'
          class='btn bare sm'
          onClick={() => {
            void client.start()
          }}
        >
          {t.tide.tryNow}
        </button>
      )}
      {session.state === 'expired' && (
        <a class='btn bare sm' href={paths.signIn().slice(1)}>
          {t.tide.signInAgain}
        </a>
      )}
      {isWide.value
        ? (
          <IconButton
            name='settings'
            label={t.app.settings}
            onClick={() => {
              go(paths.settings())
            }}
            aria-current={route.value.page === 'settings' ? 'page' : undefined}
          />
          )
        : (
          <button
            type='button'
            class='btn main'
            onClick={() => {
              go(paths.new())
            }}
          >
            <Icon name='compose' />
            {t.app.new}
          </button>
          )}
    </footer>
  )
}
