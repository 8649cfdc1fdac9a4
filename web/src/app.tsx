import { Component, type ComponentChildren, type ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ConversationPane } from './conversation/pane.tsx'
import { texts } from './i18n/index.ts'
import { ListPane } from './list/pane.tsx'
import { lastConversation, route } from './router.ts'
import { Door } from './screens/door.tsx'
import { Hello } from './screens/hello.tsx'
import { client } from './state/client.ts'
import { isEmbedded, isSingle } from './state/embedded.ts'
import { useReadable } from './state/readable.ts'
import { isWide, showsFaults, showsShortcuts, spoken } from './state/view.ts'
import { EmojiHost } from './ui/emoji-host.tsx'
import { Trouble } from './ui/fields.tsx'
import { UpdatePrompt } from './ui/update.tsx'

/** What one does not need for the first conversation comes when it is asked for. */
const MembersPane = later(async () => (await import('./screens/members.tsx')).MembersPane)
const Rooms = later(async () => (await import('./screens/rooms.tsx')).Rooms)
const Search = later(async () => (await import('./screens/search.tsx')).Search)
const Settings = later(async () => (await import('./screens/settings.tsx')).Settings)
const Shortcuts = later(async () => (await import('./screens/shortcuts.tsx')).Shortcuts)
const Faults = later(async () => (await import('./screens/faults.tsx')).Faults)

export function App () {
  const session = useReadable(client.session)
  const { page } = route.value
  const isOutside = session.state === 'signedOut' || page === 'signIn' || page === 'signUp'
  return (
    <Safe>
      {isOutside ? isEmbedded ? <Stranger /> : <Door key={page} isNew={page === 'signUp'} /> : <Inside />}
      {showsShortcuts.value && (
        <Shortcuts
          onClose={() => {
            showsShortcuts.value = false
          }}
        />
      )}
      <EmojiHost />
      <UpdatePrompt />
      <div class='vh' role='status' aria-live='polite'>
        {spoken.value}
      </div>
    </Safe>
  )
}

/** The page around has not said who its user is. */
function Stranger () {
  return (
    <main class='hello'>
      <Trouble
        text={texts.value.app.noHost}
        onRetry={() => {
          location.reload()
        }}
      />
    </main>
  )
}

function Inside () {
  const now = route.value
  const hasPanel = now.page === 'conversation' && now.panel === 'members'
  return (
    <div class={`app${isSingle ? ' single' : ''}${hasPanel ? ' three' : ''}${showsFaults.value ? ' faulty' : ''}`}>
      <a
        class='skip'
        href='#composer'
        onClick={event => {
          event.preventDefault()
          document.getElementById('composer')?.focus()
        }}
      >
        {texts.value.app.skip}
      </a>
      {!isSingle && <ListPane />}
      <Main />
      {hasPanel && <MembersPane conversationId={now.id} />}
      {now.page === 'rooms' && <Rooms />}
      {showsFaults.value && <Faults />}
    </div>
  )
}

function Main () {
  const now = route.value
  switch (now.page) {
    case 'search':
      return <Search q={now.q} filters={now.filters} />
    case 'settings':
      return <Settings />
    case 'new':
      return <Hello isPage />
    case 'conversation':
    case 'home':
    case 'rooms':
    case 'signIn':
    case 'signUp': {
      const id = now.page === 'conversation' ? now.id : lastConversation.value
      if (id !== undefined && id !== '') return <ConversationPane id={id} />
      return isWide.value ? <Hello isPage={false} /> : null
    }
  }
}

/** A component whose code is loaded when it is shown first. */
function later<P extends object> (load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined
  return function Later (props: P) {
    const [Loaded, setLoaded] = useState<ComponentType<P> | undefined>(() => loaded)
    useEffect(() => {
      if (Loaded !== undefined) return
      load().then(
        component => {
          loaded = component
          setLoaded(() => component)
        },
        () => undefined
      )
    }, [])
    return Loaded === undefined ? null : <Loaded {...props} />
  }
}

/** A defect in drawing shows what happened, and a way on, instead of an empty page. */
class Safe extends Component<{ children: ComponentChildren }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined }

  override componentDidCatch (error: unknown): void {
    console.error(error)
    this.setState({ error })
  }

  override render () {
    if (this.state.error === undefined) return this.props.children
    return (
      <main class='hello'>
        <p role='alert'>{texts.value.errors.failed(String(this.state.error))}</p>
        <button
          type='button'
          class='btn main'
          onClick={() => {
            location.reload()
          }}
        >
          {texts.value.app.tryAgain}
        </button>
      </main>
    )
  }
}
