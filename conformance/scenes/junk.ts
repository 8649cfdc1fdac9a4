import type { Answer } from '../rest.ts'
import { type Cast, noId } from './cast.ts'
import { routesOf } from './documents.ts'

/** Statuses of refusals: the request is wrong, or its object is missing or belongs to somebody else. */
const refusing = new Set([400, 401, 403, 404, 405, 409, 413, 415, 429])
const codes = /^[A-Z_]{3,40}$/

const shapes: Record<string, string> = {
  nothing: '',
  null: 'null',
  true: 'true',
  'a number': '7',
  'a text': '"x"',
  'a list': '[]',
  'a list of objects': '[{}]',
  'half an object': '{"a":',
  'no JSON': 'a=b',
  'two values': '{} {}',
  'a deep list': '['.repeat(20_000) + ']'.repeat(20_000),
  'a prototype': '{"__proto__": {"isAdmin": true}}',
  'a constructor': '{"constructor": {"prototype": {"x": 1}}}',
  'a NUL': '\u0000',
  'a number beyond all': '1e999',
  'half a surrogate': '"\\ud800"'
}

/** Values of a wrong type or size. */
const values: unknown[] = [null, true, -1, 1.5, 1e308, '', 'x'.repeat(5_000), '\u0000', '\ud800', '$where', [], [null], {}, { $gt: '' }, { $ne: null }, { toString: 1 }, [['x']]]

/** Parts of a path that name nothing. */
const names = ['x', '0', '-1', 'me', '%00', '%2e%2e', '%ff', '%', '..%2f..', '$where', '{"$gt":""}', encodeURIComponent('💥'), 'x'.repeat(3_000), noId, noId.toUpperCase(), `${noId}0`, '__proto__', 'constructor']

/** A route that gets junk must answer with a code, and must serve the next request. */
export async function junk (cast: Cast): Promise<void> {
  const { sheet, eve } = cast
  const routes = (await routesOf(cast)).filter(({ path }) => path.startsWith('/api/') && !path.startsWith('/api/auth/'))
  for (const { method, path, body, fields } of routes) {
    const at = path.replace(/\{\w+\}/g, noId)
    const route = `${method} ${path}`
    if (body !== 'none') {
      for (const [what, text] of Object.entries(shapes)) {
        const answer = await send(cast, method, at, text)
        isCoded(cast, `${route} with ${what} as its body`, answer, body === 'required' && !(text === '' || text === 'null'))
      }
      // Tries each field by itself. The rest of the body is missing, or has only the required fields.
      for (const field of fields) for (const value of values) isCoded(cast, `${route} with ${JSON.stringify(value)?.slice(0, 20)} as ${field}`, await send(cast, method, at, JSON.stringify({ [field]: value })), false)
      isCoded(cast, `${route} with a body that is no JSON by its type`, await send(cast, method, at, 'x=1', 'application/x-www-form-urlencoded'), true)
      isCoded(cast, `${route} with a body of no type`, await send(cast, method, at, '\u0001\u0002', 'application/octet-stream'), true)
    }
    if (path.includes('{')) for (const name of names) isCoded(cast, `${route} with ${name.slice(0, 20)} in its path`, await send(cast, method, path.replace(/\{\w+\}/g, name), body === 'none' ? undefined : '{}'), false)
    if (method === 'GET') {
      for (const query of ['limit=0', 'limit=-1', 'limit=1e9', 'limit=x', 'limit=1&limit=2', 'limit[$gt]=1', 'before=x', 'before=0', 'before=99999999999999999999', 'cursor=x', 'cursor[$gt]=', 'after=x', 'q=', 'q[$regex]=.*', `q=${'x'.repeat(5_000)}`, 'q=.*%00', 'search[$gt]=', 'lastChecked=x', 'lastChecked=-1', '%', '&&&===', '__proto__[x]=1']) {
        isCoded(cast, `${route} with ?${query.slice(0, 30)}`, await send(cast, method, `${at}?${query}`), false)
      }
    }
  }
  for (const path of ['/api', '/api/nothing', '/api/messages/', '//', '/%', '/api/messages/%c0%ae', '/.env', '/api/../package.json']) isCoded(cast, `GET ${path}`, await send(cast, 'GET', path), path.startsWith('/api/nothing'))
  for (const method of ['OPTIONS', 'HEAD', 'TRACE', 'PROPFIND']) await cast.rest.exchange(method, '/api/sync', { token: eve.token }).catch(() => undefined)
  sheet.is('after all of it the next request is served', await cast.call(eve, 'GET', '/api/messages/unread-count'), { status: 200 }, 0)
}

async function send ({ rest, eve }: Cast, method: string, path: string, body?: string, type = 'application/json'): Promise<Answer | undefined> {
  return await rest.call(method, path, eve.token, undefined, body === undefined ? {} : { body, headers: { 'content-type': type } })
}

/** Checks that an answer is a success, or a failure with its status, code and text. */
function isCoded ({ sheet }: Cast, what: string, answer: Answer | undefined, mustFail: boolean): void {
  if (answer === undefined) return sheet.that(`${what} is answered`, false, 'there was no answer')
  const { status, body } = answer
  const isFine = status < 300 && body.success === true && !mustFail
  const isFailure = refusing.has(status) && body.success === false && codes.test(String(body.code)) && typeof body.message === 'string' && body.message !== ''
  sheet.that(`${what} gets a coded answer`, isFine || isFailure, { status, body })
}

/** Every route requires a token. */
export async function withoutToken (cast: Cast): Promise<void> {
  const { sheet, rest } = cast
  for (const { method, path, open } of await routesOf(cast)) {
    if (open || !path.startsWith('/api/')) continue
    const at = path.replace(/\{\w+\}/g, noId)
    for (const [token, code] of [[undefined, 'NO_TOKEN'], ['x.y.z', 'INVALID_TOKEN']] as const) {
      sheet.is(`${method} ${path} ${token === undefined ? 'without a token' : 'with a token that is none'} is 401`, await rest.call(method, at, token, method === 'GET' || method === 'DELETE' ? undefined : {}), { status: 401, body: { success: false, code } })
    }
  }
}
