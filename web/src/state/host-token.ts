import { createClient } from '@tidelog/client'
import { client, serverUrl, storage } from './client.ts'

/**
 * Signs in with a token that another application has issued. Only that application can renew it: when it has run out,
 * the session is `expired`, and what is stored stays until somebody signs in again.
 */
export async function signInWithToken (token: string): Promise<void> {
  const asker = createClient({ url: serverUrl, tabs: false, auth: { getToken: () => Promise.resolve(token) } })
  try {
    const user = await asker.resume()
    if (user === null) throw new TypeError('nobody has this token')
    const expiresAt = endOf(token)
    // It begins when it ends: nothing is gained by trying to renew it before.
    await storage.setSession({ user, token, ...(expiresAt === undefined ? {} : { issuedAt: expiresAt, expiresAt }) })
  } finally {
    await asker.close()
  }
  await client.resume()
}

/** When a token runs out, in milliseconds since 1970; undefined: it does not say. */
function endOf (token: string): number | undefined {
  try {
    const body = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    const { exp } = JSON.parse(atob(body)) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1_000 : undefined
  } catch {
    return undefined
  }
}
