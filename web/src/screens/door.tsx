import { useEffect, useRef, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { signInWithToken } from '../state/host-token.ts'
import { useReadable } from '../state/readable.ts'
import { Field, Trouble } from '../ui/fields.tsx'
import { Logo } from '../ui/icon.tsx'

/** Sign in, by a password or another application's token, or create an account. */
export function Door ({ isNew }: { isNew: boolean }) {
  const t = texts.value.signIn
  const session = useReadable(client.session)
  const form = useRef<HTMLFormElement>(null)
  const [fields, setFields] = useState(() => given(session.user?.username ?? ''))
  const [error, setError] = useState<Complaint>()
  const [isBusy, setBusy] = useState(false)
  const [byToken, setByToken] = useState(fields.token !== '')
  const set = (name: keyof typeof fields) => (value: string) => {
    setFields(before => ({ ...before, [name]: value }))
    setError(undefined)
  }
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('input[data-first]')?.focus()
  }, [isNew, byToken])
  useLinks(link => {
    setFields(link)
    setByToken(link.token !== '')
    setError(undefined)
  })

  function complain (complaint: Complaint) {
    setError(complaint)
    requestAnimationFrame(() => {
      form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
    })
  }

  async function submit () {
    const empty = placesOf(isNew, byToken).find(place => fields[place].trim() === '')
    if (empty !== undefined) {
      complain({ at: empty, text: t.fillIn })
      return
    }
    setBusy(true)
    try {
      const { token, ...account } = fields
      if (byToken) await signInWithToken(token.trim())
      else if (isNew) {
        await client.register({ ...account, fullName: account.fullName.trim(), email: account.email.trim() })
      } else await client.login(loginOf(account))
      await client.start()
      go(paths.home(), { replace: true })
    } catch (failure) {
      complain(placed(failure, fields, isNew, byToken))
    } finally {
      setBusy(false)
    }
  }

  const at = (place: Place) => (error?.at === place ? error.text : undefined)
  return (
    <main class='door'>
      <form
        ref={form}
        noValidate
        onSubmit={event => {
          event.preventDefault()
          void submit()
        }}
      >
        <Logo />
        <div>
          <h1>{isNew ? t.upTitle : t.title}</h1>
          <p class='muted'>{isNew ? t.on(location.host) : t.to(location.host)}</p>
        </div>
        {session.state === 'expired' && !isNew && <p class='small muted'>{t.sessionEnded}</p>}
        {byToken
          ? (
            <Field
              label={t.token}
              value={fields.token}
              onInput={set('token')}
              hint={t.tokenHint}
              error={at('token')}
              type='password'
              autocomplete='off'
              autofocus
            />
            )
          : (
            <AccountFields isNew={isNew} fields={fields} set={set} at={at} />
            )}
        {error?.at === 'form' && <Trouble text={error.text} />}
        <button class='btn main lg' disabled={isBusy}>
          {isNew ? t.create : t.submit}
        </button>
        <Ways
          isNew={isNew}
          byToken={byToken}
          onSwitch={() => {
            setByToken(!byToken)
            setError(undefined)
          }}
        />
      </form>
      <Deep />
    </main>
  )
}

/** Calls `fill` for another link to this page while it is shown: such a link loads nothing. */
function useLinks (fill: (link: Fields) => void): void {
  useEffect(() => {
    const again = () => {
      if (location.hash !== '') fill(given(''))
    }
    addEventListener('hashchange', again)
    return () => {
      removeEventListener('hashchange', again)
    }
  }, [])
}

/** Links to the other ways in. */
function Ways ({ isNew, byToken, onSwitch }: { isNew: boolean, byToken: boolean, onSwitch: () => void }) {
  const t = texts.value.signIn
  return (
    <div class='small muted ways'>
      {isNew ? t.haveOne : t.newHere}{' '}
      <a class='at' href={(isNew ? paths.signIn() : paths.signUp()).slice(1)}>
        {isNew ? t.submit : t.createOne}
      </a>
      {!isNew && (
        <button type='button' class='at' onClick={onSwitch}>
          {byToken ? t.withPassword : t.withToken}
        </button>
      )}
    </div>
  )
}

function AccountFields ({
  isNew,
  fields,
  set,
  at
}: {
  isNew: boolean
  fields: Fields
  set: (name: keyof Fields) => (value: string) => void
  at: (place: Place) => string | undefined
}) {
  const t = texts.value.signIn
  return (
    <>
      {isNew && (
        <Field
          label={t.fullName}
          value={fields.fullName}
          onInput={set('fullName')}
          hint={t.fullNameHint}
          error={at('fullName')}
          autocomplete='name'
          maxLength={100}
          autofocus
        />
      )}
      <Field
        label={t.username}
        value={fields.username}
        onInput={set('username')}
        hint={isNew ? t.usernameHint : undefined}
        error={at('username')}
        autocomplete='username'
        autofocus={!isNew}
      />
      {isNew && (
        <Field
          label={t.email}
          value={fields.email}
          onInput={set('email')}
          hint={t.emailHint}
          error={at('email')}
          type='email'
          autocomplete='email'
        />
      )}
      <Field
        label={t.password}
        value={fields.password}
        onInput={set('password')}
        type='password'
        error={at('password')}
        hint={isNew ? t.passwordHint : undefined}
        autocomplete={isNew ? 'new-password' : 'current-password'}
      />
    </>
  )
}

interface Fields { fullName: string, username: string, email: string, password: string, token: string }

/** What a link filled in behind its #, as the demo's do: it is read once and taken out of the address. */
function given (username: string): Fields {
  const hash = new URLSearchParams(location.hash.slice(1))
  if (location.hash !== '') history.replaceState(history.state, '', location.pathname + location.search)
  const get = (name: string) => hash.get(name) ?? ''
  return {
    fullName: '', email: '', username: hash.get('username') ?? username, password: get('password'), token: get('token')
  }
}

/** With an address or with a name. */
function loginOf ({ username, password }: Pick<Fields, 'username' | 'password'>) {
  const name = username.trim()
  return name.includes('@') ? { email: name, password } : { username: name, password }
}

type Place = keyof Fields | 'form'
interface Complaint { at: Place, text: string }

/** What has to be filled in. */
function placesOf (isNew: boolean, byToken: boolean): Array<keyof Fields> {
  if (byToken) return ['token']
  return isNew ? ['fullName', 'username', 'email', 'password'] : ['username', 'password']
}

/** Which field a failure is about; the server names it at the beginning of what it says. */
function placed (failure: unknown, { password }: Fields, isNew: boolean, byToken: boolean): Complaint {
  const { code, message = '', status } = failure as { code?: string; message?: string; status?: number }
  if (byToken && status === 401) return { at: 'token', text: texts.value.signIn.badToken }
  if (code === 'INVALID_CREDENTIALS') return { at: 'password', text: texts.value.signIn.wrong }
  if (code === 'USERNAME_TAKEN') return { at: 'username', text: why(failure) }
  if (code === 'EMAIL_TAKEN') return { at: 'email', text: why(failure) }
  const named = (['fullName', 'username', 'email', 'password'] as const).find(
    field => code === 'VALIDATION' && message.includes(field)
  )
  if (!isNew || named === undefined) return { at: 'form', text: why(failure) }
  const { usernameHint, badEmail, passwordHint } = texts.value.signIn
  const rules: Partial<Record<Place, string>> = {
    username: usernameHint, email: badEmail, ...(password.length < 8 ? { password: passwordHint } : {})
  }
  return { at: named, text: rules[named] ?? why(failure) }
}

/** A log that turns into the sea. */
function Deep () {
  return (
    <div class='deep'>
      <svg viewBox='0 0 720 776' preserveAspectRatio='xMinYMin slice' aria-hidden='true'>
        {[432, 287, 530, 360, 603, 457, 630].map((end, at) => (
          <g key={end} opacity={0.34 + at * 0.03}>
            <circle cx='40' cy={96 + at * 34} r='5' fill='#a9e2dc' stroke='none' />
            <path d={at < 6 ? `M60 ${96 + at * 34}H${end}` : wave(60, end, 300, 1.2, 0)} />
          </g>
        ))}
        {Array.from({ length: 10 }, (_, at) => (
          <path
            key={at}
            opacity={Math.min(0.62 + at * 0.04, 0.95)}
            d={wave(42 - at * 14, 760, 334 + at * 34, 2 + at * 2.1, at + 1)}
          />
        ))}
      </svg>
      <p>{texts.value.signIn.motto}</p>
    </div>
  )
}

/** A line whose waves grow from left to right; deeper ones are higher and further along. */
function wave (from: number, to: number, y: number, height: number, depth: number): string {
  const points: string[] = []
  for (let x = from; x <= to; x += 12) {
    const grown = Math.min(1, 0.15 + (x - from) / 520)
    const near = Math.sin((x - depth * 18) / (22 + depth * 1.1))
    const far = Math.sin(x / 61 + depth * 1.7) * 0.3
    points.push(`${x} ${(y + (near + far) * height * grown).toFixed(1)}`)
  }
  return `M${points.join('L')}`
}
