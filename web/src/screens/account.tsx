import type { OwnUser } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { ago } from '../i18n/dates.ts'
import { texts } from '../i18n/index.ts'
import { go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLoad } from '../state/load.ts'
import { useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { say } from '../state/view.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Confirm, Dialog, DialogHead } from '../ui/dialog.tsx'
import { Bones, Field, Trouble } from '../ui/fields.tsx'
import { FormDialog } from '../ui/form.tsx'
import { Icon } from '../ui/icon.tsx'
import { PersonToRelease } from '../ui/person.tsx'
import { usePictureChoice } from '../ui/picture-choice.tsx'
import { programOf } from './program.ts'
import { forgetAllSearches } from './search-state.ts'

export function EditProfile ({ user, onClose }: { user: OwnUser; onClose: () => void }) {
  const t = texts.value.settings
  const [fullName, setFullName] = useState(user.fullName)
  const [username, setUsername] = useState(user.username)
  const picture = usePictureChoice({ save: file => client.users.setAvatar(file) })
  const save = async () => {
    await client.users.updateMe({
      fullName: fullName.trim(),
      ...(username === user.username ? {} : { username })
    })
    say(t.changed)
  }
  return (
    <>
      <FormDialog title={t.you} act={texts.value.app.save} onSave={save} onClose={onClose}>
        {picture.row(<Avatar user={user} id={user.id} size='xl' />, user.picture)}
        <Field label={t.name} value={fullName} onInput={setFullName} maxLength={100} autocomplete='name' autofocus />
        <Field label={t.username} value={username} onInput={setUsername} maxLength={32} autocomplete='username' />
      </FormDialog>
      {picture.dialog}
    </>
  )
}

export function ChangePassword ({ onClose }: { onClose: () => void }) {
  const t = texts.value.settings
  const [password, setPassword] = useState('')
  const [newPassword, setNewPassword] = useState('')
  const rule = texts.value.signIn.passwordHint
  return (
    <FormDialog
      title={t.changePassword}
      act={t.changePassword}
      onSave={async () => {
        await client.account.changePassword({ password, newPassword })
        say(t.changed)
      }}
      onClose={onClose}
    >
      {(error, code) => (
        <>
          <Field
            label={t.oldPassword}
            value={password}
            onInput={setPassword}
            type='password'
            error={code === 'INVALID_CREDENTIALS' ? error : undefined}
            autocomplete='current-password'
            autofocus
          />
          <Field
            label={t.newPassword}
            value={newPassword}
            onInput={setNewPassword}
            type='password'
            error={code === 'INVALID_CREDENTIALS' ? undefined : code === 'VALIDATION' ? rule : error}
            autocomplete='new-password'
            hint={t.passwordHint}
          />
        </>
      )}
    </FormDialog>
  )
}

/** Deletes the account, after the password was given again. */
export function EraseAccount ({ onClose }: { onClose: () => void }) {
  const t = texts.value.settings
  const [password, setPassword] = useState('')
  return (
    <FormDialog
      title={t.erase}
      act={t.erase}
      isDanger
      onSave={async () => {
        await client.account.erase({ password })
        goOut()
        say(t.erased)
      }}
      onClose={onClose}
    >
      {error => (
        <>
          <p class='small muted'>{t.eraseHint}</p>
          <Field
            label={t.password}
            value={password}
            onInput={setPassword}
            type='password'
            error={error}
            autocomplete='current-password'
            autofocus
          />
        </>
      )}
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
  return (
    <PersonToRelease
      user={useUser(id)}
      id={id}
      act={texts.value.chat.unblock}
      onAct={() => client.users.block(id, false)}
    />
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
              <b class='cut' title={session.client}>{programOf(session.client) ?? t.unknownClient}</b>
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
    void client.logout().finally(goOut)
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

/** What is left to do when nobody is signed in any more. */
function goOut () {
  forgetAllSearches()
  go(paths.signIn(), { replace: true })
}
