import type { FastifyInstance } from 'fastify'
import { buildApp } from '../../app.ts'
import { issueAdminCodes } from '../../src/auth/admin-codes.ts'
import { readConfig } from '../../src/config.ts'
import { type Registered, register } from './register.ts'
import { type Answer, type CallOptions, call } from './request.ts'

export interface TestApp {
  app: FastifyInstance
  url: string
  call: (method: string, path: string, options?: CallOptions) => Promise<Answer>
  /** Calls below `/api` of a user. */
  as: (user: { token: string }) => (method: string, path: string, body?: unknown) => Promise<Answer>
  /** Registers an account named `username` with the password `password-1`. */
  register: (username: string, fields?: Record<string, unknown>) => Promise<Registered>
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

  return {
    app,
    url,
    call: (method, path, options) => call({ url }, method, path, options),
    as: ({ token }) => (method, path, body) => call({ url }, method, `/api${path}`, { token, body }),
    register: async (username, fields) => register(url, username, { ...await adminCode(app, username), ...fields })
  }
}
