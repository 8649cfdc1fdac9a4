import type { FastifyInstance } from 'fastify'
import { buildApp } from '../../app.ts'
import { issueAdminCodes } from '../../src/auth/admin-codes.ts'
import { readConfig } from '../../src/config.ts'
import { request } from './request.ts'

export interface Answer {
  status: number
  headers: Headers
  // A test checks the form of a body itself.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any
  text: string
}

export interface CallOptions {
  token?: string | undefined
  /** Sent as JSON. */
  body?: unknown
  headers?: Record<string, string>
}

export interface TestApp {
  app: FastifyInstance
  url: string
  call: (method: string, path: string, options?: CallOptions) => Promise<Answer>
  /** Registers an account named `username` with the password `password-1`. */
  register: (username: string, fields?: Record<string, unknown>) => Promise<{ token: string, refreshToken: string, id: string }>
}

/** The fields with which an administrator's name is registered. */
async function adminCode ({ accounts }: FastifyInstance, username: string): Promise<{ adminCode?: string }> {
  if (!accounts.admins.reserves(username)) return {}
  const issued = (await issueAdminCodes(accounts)).find(one => one.username.toLowerCase() === username.toLowerCase())
  return issued === undefined ? {} : { adminCode: issued.code }
}

interface Suite {
  testdir: () => string
  teardown: (end: () => Promise<unknown>) => void
}

/** The product on a free port with its own database. It closes when the suite ends. */
export async function startApp (t: Suite, environment: Record<string, string> = {}): Promise<TestApp> {
  let close = async () => {}
  // Registered before the folder is created: tap then deletes the folder after the app has closed.
  t.teardown(() => close())
  const app = await buildApp(readConfig({ HOST: '127.0.0.1', PORT: '0', DATA_DIR: t.testdir(), LOG_LEVEL: 'silent', ...environment }))
  close = () => app.close()
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  async function call (method: string, path: string, { token, body, headers = {} }: CallOptions = {}): Promise<Answer> {
    const { status, headers: answered, text } = await request(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    return { status, headers: answered, text, body: text === '' ? undefined : JSON.parse(text) }
  }

  async function register (username: string, fields: Record<string, unknown> = {}) {
    const answer = await call('POST', '/api/auth/register', {
      body: { ...await adminCode(app, username), fullName: `Full ${username}`, username, email: `${username}@example.org`, password: 'password-1', ...fields }
    })
    if (answer.status !== 201) throw new Error(`registration answered ${answer.status}: ${answer.text}`)
    return { token: answer.body.token as string, refreshToken: answer.body.refreshToken as string, id: answer.body.user._id as string }
  }

  return { app, url, call, register }
}
