import { call } from './request.ts'

/** An account of a test, signed in. */
export interface Registered {
  token: string
  refreshToken: string
  id: string
}

/** Registers an account, with the password `password-1`. */
export async function register (
  url: string, username: string, fields: Record<string, unknown> = {}
): Promise<Registered> {
  const account = { fullName: `Full ${username}`, username, email: `${username}@example.org`, password: 'password-1' }
  const { status, text, body } = await call({ url }, 'POST', '/api/auth/register', { body: { ...account, ...fields } })
  if (status !== 201) throw new Error(`registration answered ${status}: ${text}`)
  return { token: body.token, refreshToken: body.refreshToken, id: body.user._id }
}
