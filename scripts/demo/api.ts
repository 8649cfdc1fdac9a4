/** One of the community, signed in: calls the public API as the app does. */
export interface Voice {
  id: string
  username: string
  /** Has chosen a picture, in an earlier run. */
  hasPicture: boolean
  /** Bytes are sent as they are, anything else as JSON. */
  call: (method: string, path: string, body?: unknown) => Promise<Body>
}

// Each caller reads what its call answers with.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Body = any

export const password = 'low-water-13-46'

/** Signs up, or in if the account is there from an earlier run. */
export async function voice (url: string, username: string, fullName: string): Promise<Voice> {
  const account = { username, fullName, email: `${username}@estuary.example`, password }
  const made = await send(url, 'POST', '/api/auth/register', account)
  const answer = made.status === 409 ? await send(url, 'POST', '/api/auth/login', { username, password }) : made
  const { token, user } = await bodyOf(answer, 'sign in')
  return {
    id: user._id,
    username,
    hasPicture: user.profilePicture !== null && user.profilePicture !== '',
    call: async (method, path, body) => {
      for (;;) {
        const called = await send(url, method, path, body, token)
        if (called.status !== 429 && called.status !== 503) return await bodyOf(called, `${method} ${path}`)
        const seconds = Number(called.headers.get('retry-after') ?? 1)
        await new Promise(resolve => setTimeout(resolve, seconds * 1_000))
      }
    }
  }
}

/** Uploads a picture; the id of its file. */
export async function upload (who: Voice, name: string, bytes: Buffer): Promise<string> {
  const { file } = await who.call('POST', `/api/files?name=${name}.png`, bytes)
  return file._id
}

async function send (url: string, method: string, path: string, body?: unknown, token?: string): Promise<Response> {
  try {
    return await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined || body instanceof Uint8Array ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? body : JSON.stringify(body) })
    })
  } catch (error) {
    throw new Error(`no server answers at ${url}: start it with "npm start"`, { cause: error })
  }
}

async function bodyOf (answer: Response, what: string): Promise<Body> {
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${what} answered ${answer.status}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}
