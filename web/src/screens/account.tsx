import type { OwnUser } from '@tidelog/client'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { ago } from '../i18n/dates.ts'
import { texts } from '../i18n/index.ts'
import { go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLoad } from '../state/load.ts'
import { nameOf, useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { say } from '../state/view.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Confirm, Dialog, DialogHead } from '../ui/dialog.tsx'
import { Bones, Field, Trouble } from '../ui/fields.tsx'
import { Icon } from '../ui/icon.tsx'

/** A dialog with a form: saves, or says why it cannot. */
function FormDialog ({
  title,
  act,
  onSave,
  onClose,
  children
}: {
  title: string
  act: string
  onSave: () => Promise<unknown>
  onClose: () => void
  children: ComponentChildren
}) {
  const [error, setError] = useState<string>()
  const [isBusy, setBusy] = useState(false)

  async function save () {
    setBusy(true)
    setError(undefined)
    try {
      await onSave()
      say(texts.value.settings.changed)
      onClose()
    } catch (failure) {
      setError(why(failure))
      setBusy(false)
    }
  }

  return (
    <Dialog label={title} onClose={onClose}>
      <DialogHead title={title} onClose={onClose} />
      <form
        class='create'
        onSubmit={event => {
          event.preventDefault()
          void save()
        }}
      >
        <div class='form scroll'>
          {children}
          {error !== undefined && <Trouble text={error} />}
        </div>
        <footer class='foot'>
          <span class='grow' />
          <button type='button' class='btn bare' onClick={onClose}>
            {texts.value.app.cancel}
          </button>
          <button class='btn main' disabled={isBusy}>
            {act}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}

export function EditProfile ({ user, onClose }: { user: OwnUser; onClose: () => void }) {
  const t = texts.value.settings
  const [fullName, setFullName] = useState(user.fullName)
  const [username, setUsername] = useState(user.username)
  const [picture, setPicture] = useState(user.picture ?? '')
  const save = () =>
    client.users.updateMe({
      fullName: fullName.trim(),
      profilePicture: picture.trim() === '' ? null : picture.trim(),
      ...(username === user.username ? {} : { username })
    })
  return (
    <FormDialog title={t.you} act={texts.value.app.save} onSave={save} onClose={onClose}>
      <Field label={t.name} value={fullName} onInput={setFullName} maxLength={100} autocomplete='name' autofocus />
      <Field label={t.username} value={username} onInput={setUsername} maxLength={32} autocomplete='username' />
      <Field label={t.picture} value={picture} onInput={setPicture} type='url' required={false} />
    </FormDialog>
  )
}

export function ChangePassword ({ onClose }: { onClose: () => void }) {
  const t = texts.value.settings
  const [password, setPassword] = useState('')
  const [newPassword, setNewPassword] = useState('')
  return (
    <FormDialog
      title={t.changePassword}
      act={t.changePassword}
      onSave={() => client.account.changePassword({ password, newPassword })}
      onClose={onClose}
    >
      <Field
        label={t.oldPassword}
        value={password}
        onInput={setPassword}
        type='password'
        autocomplete='current-password'
        autofocus
      />
      <Field
        label={t.newPassword}
        value={newPassword}
        onInput={setNewPassword}
        type='password'
        autocomplete='new-password'
        hint={t.passwordHint}
      />
    </FormDialog>
  )
}

export function BlockedPeople ({ onClose }: { onClose: () => void }) {
  const t = texts.value.settings
  const blocked = useReadable(client.users.blocked)
  return (
    <Dialog label={t.blocked} onClose={onClose}>
      <DialogHead title={t.blocked} onClose={onClose} />
      <div class='items scroll' tabIndex={-1}>
        {blocked.length === 0 && <p class='calm'>{t.nobodyBlocked}</p>}
        {blocked.map(id => (
          <BlockedPerson key={id} id={id} />
        ))}
      </div>
    </Dialog>
  )
}

function BlockedPerson ({ id }: { id: string }) {
  const user = useUser(id)
  const [error, setError] = useState<string>()
  const unblock = () => {
    client.users.block(id, false).catch((failure: unknown) => {
      setError(why(failure))
    })
  }
  return (
    <div class='item'>
      <Avatar user={user} id={id} />
      <span class='grow'>
        <b class='cut' dir='auto'>
          {nameOf(user)}
        </b>
        <small class='cut'>{error ?? `@${user?.username ?? ''}`}</small>
      </span>
      <button type='button' class='btn line sm' onClick={unblock}>
        {texts.value.chat.unblock}
      </button>
    </div>
  )
}

export function AccountSessions ({ onClose }: { onClose: () => void }) {
  const t = texts.value.settings
  const sessions = useLoad('', signal => client.account.sessions({ signal }))
  const end = (id: string) => {
    client.account.endSession(id).then(sessions.again, sessions.again)
  }
  return (
    <Dialog label={t.sessions} onClose={onClose}>
      <DialogHead title={t.sessions} onClose={onClose} />
      <div class='items scroll' tabIndex={-1}>
        {sessions.error !== undefined && <Trouble text={why(sessions.error)} onRetry={sessions.again} />}
        {sessions.value === undefined && sessions.isLoading && <Bones rows={2} />}
        {sessions.value?.map(session => (
          <div key={session.id} class='item'>
            <Icon name='device' />
            <span class='grow'>
              <b class='cut'>{session.client === '' ? t.unknownClient : session.client}</b>
              <small class='cut'>{t.lastUsed(ago(session.lastUsedAt))}</small>
            </span>
            {session.current
              ? (
                <span class='tag foam'>{t.thisSession}</span>
                )
              : (
                <button
                  type='button'
                  class='btn line sm'
                  onClick={() => {
                    end(session.id)
                  }}
                >
                  {t.end}
                </button>
                )}
          </div>
        ))}
      </div>
    </Dialog>
  )
}

/** Signs out; asks first, and says what would be lost. */
export function SignOut ({ onClose }: { onClose: () => void }) {
  const t = texts.value.settings
  const waiting = client.outbox.get().filter(operation => operation.type === 'send').length
  const leave = () => {
    void client.logout().finally(() => {
      go(paths.signIn(), { replace: true })
    })
  }
  return (
    <Confirm
      question={waiting > 0 ? t.signOutWaiting(waiting) : `${t.signOutHint}.`}
      act={t.signOut}
      onAct={leave}
      onClose={onClose}
    />
  )
}
