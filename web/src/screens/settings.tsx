import { useState } from 'preact/hooks'
import { languages, type Language, texts } from '../i18n/index.ts'
import { back } from '../router.ts'
import { client } from '../state/client.ts'
import { askToNotify, mayNotify } from '../state/notifications.ts'
import { nameOf } from '../state/people.ts'
import { chosenLanguage, enterSends, notify, tellTyping, textSize, theme } from '../state/preferences.ts'
import { useReadable } from '../state/readable.ts'
import { isWide, showsFaults, showsShortcuts } from '../state/view.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Segments, Switch } from '../ui/fields.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'
import { AccountSessions, BlockedPeople, ChangePassword, EditProfile, SignOut } from './account.tsx'
import { DeviceBox } from './device.tsx'
import { Themes } from './themes.tsx'

type Open = 'profile' | 'blocked' | 'password' | 'sessions' | 'signOut' | undefined

/** You, this device, and how the app looks and speaks. */
export function Settings () {
  const t = texts.value.settings
  const session = useReadable(client.session)
  const blocked = useReadable(client.users.blocked)
  const [open, setOpen] = useState<Open>()
  const close = () => {
    setOpen(undefined)
  }
  const user = session.user
  return (
    <main class='pane main tint' aria-label={t.title}>
      <header class='bar'>
        {!isWide.value && (
          <IconButton
            name='back'
            label={texts.value.app.back}
            class='back'
            flip
            onClick={() => {
              back()
            }}
          />
        )}
        <h1 class='grow big'>{t.title}</h1>
      </header>
      <div class='scroll' tabIndex={-1}>
        <div class='col set'>
          <div>
            <section>
              <h2>{t.you}</h2>
              <div class='box'>
                <div class='item tall'>
                  <Avatar user={user} id={user?.id ?? ''} size='xl' />
                  <span class='grow'>
                    <b class='t17' dir='auto'>
                      {nameOf(user)}
                    </b>
                    <small>@{user?.username}</small>
                  </span>
                  <button
                    type='button'
                    class='btn line sm'
                    onClick={() => {
                      setOpen('profile')
                    }}
                  >
                    {t.edit}
                  </button>
                </div>
                <button
                  type='button'
                  class='item'
                  onClick={() => {
                    setOpen('password')
                  }}
                >
                  <Icon name='key' />
                  <span class='grow'>
                    <b class='cut'>{t.password}</b>
                  </span>
                  <Icon small flip name='next' />
                </button>
                <button
                  type='button'
                  class='item'
                  onClick={() => {
                    setOpen('blocked')
                  }}
                >
                  <Icon name='shield' />
                  <span class='grow'>
                    <b class='cut'>{t.blocked}</b>
                  </span>
                  <span class='muted num'>{blocked.length}</span>
                  <Icon small flip name='next' />
                </button>
              </div>
            </section>
            <section>
              <h2>{t.appearance}</h2>
              <div class='box'>
                <Themes
                  value={theme.value}
                  onChange={value => {
                    theme.value = value
                  }}
                />
                <div class='item'>
                  <span class='small' aria-hidden='true'>
                    A
                  </span>
                  <input
                    type='range'
                    min='0'
                    max='4'
                    value={textSize.value}
                    aria-label={t.textSize}
                    onInput={event => {
                      textSize.value = event.currentTarget.valueAsNumber
                    }}
                  />
                  <span class='t20' aria-hidden='true'>
                    A
                  </span>
                </div>
                <div class='item wrap'>
                  <Icon name='globe' />
                  <span class='grow'>
                    <b class='cut'>{t.language}</b>
                  </span>
                  <Segments
                    label={t.language}
                    value={chosenLanguage.value}
                    options={Object.entries(languages) as Array<[Language, string]>}
                    onChange={value => {
                      chosenLanguage.value = value
                    }}
                  />
                </div>
              </div>
            </section>
            <section>
              <h2>{t.writing}</h2>
              <div class='box'>
                <Choice
                  text={t.enterSends}
                  hint={t.enterSendsHint}
                  isOn={enterSends.value}
                  onChange={on => {
                    enterSends.value = on
                  }}
                />
                <Choice
                  text={t.tellTyping}
                  isOn={tellTyping.value}
                  onChange={on => {
                    tellTyping.value = on
                  }}
                />
                <button
                  type='button'
                  class='item'
                  onClick={() => {
                    showsShortcuts.value = true
                  }}
                >
                  <Icon name='keyboard' />
                  <span class='grow'>
                    <b class='cut'>{t.keyboard}</b>
                  </span>
                  <Icon small flip name='next' />
                </button>
              </div>
            </section>
          </div>
          <div>
            <DeviceBox />
            <section>
              <h2>{t.notifications}</h2>
              <div class='box'>
                <div class='item'>
                  <Icon name='bell' />
                  <span class='grow'>
                    <b>{t.notify}</b>
                    {mayNotify.value === 'denied' && <small>{t.notifyBlocked}</small>}
                  </span>
                  <Switch
                    label={t.notify}
                    isOn={notify.value && mayNotify.value === 'granted'}
                    disabled={mayNotify.value === 'denied'}
                    onChange={on => {
                      void askToNotify(on)
                    }}
                  />
                </div>
              </div>
            </section>
            <section>
              <h2>{t.session}</h2>
              <div class='box'>
                <button
                  type='button'
                  class='item'
                  onClick={() => {
                    setOpen('sessions')
                  }}
                >
                  <Icon name='device' />
                  <span class='grow'>
                    <b class='cut'>{t.sessions}</b>
                  </span>
                  <Icon small flip name='next' />
                </button>
                <button
                  type='button'
                  class='item'
                  onClick={() => {
                    showsFaults.value = true
                  }}
                >
                  <Icon name='bug' />
                  <span class='grow'>
                    <b class='cut'>{t.faults}</b>
                  </span>
                </button>
                <button
                  type='button'
                  class='item'
                  onClick={() => {
                    setOpen('signOut')
                  }}
                >
                  <Icon name='leave' />
                  <span class='grow'>
                    <b class='cut'>{t.signOut}</b>
                    <small class='cut'>{t.signOutHint}</small>
                  </span>
                </button>
              </div>
            </section>
          </div>
        </div>
      </div>
      {open === 'profile' && user !== undefined && <EditProfile user={user} onClose={close} />}
      {open === 'password' && <ChangePassword onClose={close} />}
      {open === 'blocked' && <BlockedPeople onClose={close} />}
      {open === 'sessions' && <AccountSessions onClose={close} />}
      {open === 'signOut' && <SignOut onClose={close} />}
    </main>
  )
}

function Choice ({
  text,
  hint,
  isOn,
  onChange
}: {
  text: string
  hint?: string
  isOn: boolean
  onChange: (on: boolean) => void
}) {
  return (
    <div class='item'>
      <span class='grow'>
        <b>{text}</b>
        {hint !== undefined && <small>{hint}</small>}
      </span>
      <Switch label={text} isOn={isOn} onChange={onChange} />
    </div>
  )
}
