import { request } from './request.ts'

/** Registers an account, with the password `password-1`, at a server that runs in another process. */
export async function register (
  url: string, username: string, fields: Record<string, unknown> = {}
): Promise<{ token: string, refreshToken: string, id: string }> {
  const account = { fullName: `Full ${username}`, username, email: `${username}@example.org`, password: 'password-1' }
  const { status, text } = await request(`${url}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...account, ...fields })
  })
  if (status !== 201) throw new Error(`registration answered ${status}: ${text}`)
  const { user, ...tokens } = JSON.parse(text) as { token: string, refreshToken: string, user: { _id: string } }
  return { token: tokens.token, refreshToken: tokens.refreshToken, id: user._id }
}
