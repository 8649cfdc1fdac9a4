import { useState } from 'preact/hooks'
import { languages, type Language, texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'
import { askToNotify, mayNotify } from '../state/notifications.ts'
import { nameOf } from '../state/people.ts'
import {
  chosenLanguage, enterSends, notify, notifyRooms, tellTyping, textSize, theme
} from '../state/preferences.ts'
import { useReadable } from '../state/readable.ts'
import { isTouch, showsFaults, showsShortcuts } from '../state/view.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Segments } from '../ui/fields.tsx'
import { Box, Item, SwitchItem } from '../ui/item.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { AccountSessions, BlockedPeople, ChangePassword, EditProfile, EraseAccount, SignOut } from './account.tsx'
import { DeviceBox } from './device.tsx'
import { Themes } from './themes.tsx'

type Open = 'profile' | 'blocked' | 'password' | 'sessions' | 'signOut' | 'erase'
interface SectionProps { onOpen: (open: Open) => void }

/** You, this device, and how the app looks and speaks. */
export function Settings () {
  const t = texts.value.settings
  const { user } = useReadable(client.session)
  const [open, setOpen] = useState<Open>()
  const close = () => {
    setOpen(undefined)
  }
  return (
    <main class='pane main tint' aria-label={t.title}>
      <PageHead>
        <h1 class='grow big'>{t.title}</h1>
      </PageHead>
      <div class='scroll' tabIndex={-1}>
        <div class='col set'>
          <div>
            <You onOpen={setOpen} />
            <Appearance />
            <Writing />
          </div>
          <div>
            <DeviceBox />
            <Notifications />
            <Session onOpen={setOpen} />
          </div>
        </div>
      </div>
      {open === 'profile' && user !== undefined && <EditProfile user={user} onClose={close} />}
      {open === 'password' && <ChangePassword onClose={close} />}
      {open === 'blocked' && <BlockedPeople onClose={close} />}
      {open === 'sessions' && <AccountSessions onClose={close} />}
      {open === 'erase' && <EraseAccount onClose={close} />}
      {open === 'signOut' && <SignOut onClose={close} />}
    </main>
  )
}

function You ({ onOpen }: SectionProps) {
  const t = texts.value.settings
  const { user } = useReadable(client.session)
  const blocked = useReadable(client.users.blocked)
  return (
    <Box title={t.you}>
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
            onOpen('profile')
          }}
        >
          {t.edit}
        </button>
      </div>
      <Item
        icon='key'
        text={t.password}
        opens
        onClick={() => {
          onOpen('password')
        }}
      />
      <Item
        icon='shield'
        text={t.blocked}
        opens
        onClick={() => {
          onOpen('blocked')
        }}
      >
        <span class='muted num'>{blocked.length}</span>
      </Item>
    </Box>
  )
}

function Appearance () {
  const t = texts.value.settings
  return (
    <Box title={t.appearance}>
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
      <Item icon='globe' text={t.language} wraps>
        <Segments
          label={t.language}
          value={chosenLanguage.value}
          options={Object.entries(languages) as Array<[Language, string]>}
          onChange={value => {
            chosenLanguage.value = value
          }}
        />
      </Item>
    </Box>
  )
}

function Writing () {
  const t = texts.value.settings
  return (
    <Box title={t.writing}>
      {!isTouch.value && (
        <SwitchItem
          text={t.enterSends}
          hint={t.enterSendsHint}
          isLong
          isOn={enterSends.value}
          onChange={on => {
            enterSends.value = on
          }}
        />
      )}
      <SwitchItem
        text={t.tellTyping}
        isLong
        isOn={tellTyping.value}
        onChange={on => {
          tellTyping.value = on
        }}
      />
      <Item
        icon='keyboard'
        text={t.keyboard}
        opens
        onClick={() => {
          showsShortcuts.value = true
        }}
      />
    </Box>
  )
}

function Notifications () {
  const t = texts.value.settings
  const isBlocked = mayNotify.value === 'denied'
  const isOn = notify.value && mayNotify.value === 'granted'
  return (
    <Box title={t.notifications}>
      <SwitchItem
        icon='bell'
        text={t.notify}
        hint={isBlocked ? t.notifyBlocked : t.notifyHint}
        isLong
        wraps
        isOn={isOn}
        disabled={isBlocked}
        onChange={on => {
          void askToNotify(on)
        }}
      />
      <SwitchItem
        icon='hash'
        text={t.notifyRooms}
        hint={t.notifyRoomsHint}
        isLong
        wraps
        isOn={isOn && notifyRooms.value}
        disabled={!isOn}
        onChange={on => {
          notifyRooms.value = on
        }}
      />
    </Box>
  )
}

function Session ({ onOpen }: SectionProps) {
  const t = texts.value.settings
  return (
    <Box title={t.session}>
      <Item
        icon='device'
        text={t.sessions}
        opens
        onClick={() => {
          onOpen('sessions')
        }}
      />
      <Item
        icon='bug'
        text={t.faults}
        onClick={() => {
          showsFaults.value = true
        }}
      />
      <Item
        icon='leave'
        text={t.signOut}
        hint={t.signOutHint}
        onClick={() => {
          onOpen('signOut')
        }}
      />
      <Item
        icon='trash'
        isDanger
        text={t.erase}
        hint={t.eraseShort}
        onClick={() => {
          onOpen('erase')
        }}
      />
    </Box>
  )
}
