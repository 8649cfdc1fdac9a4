import t from 'tap'
import { IssuerClock } from '../../src/auth/issuer-clock.ts'
import { startApp } from '../helpers/app.ts'
import { hs256 } from '../helpers/tokens.ts'

const start = 1_700_000_000_400

/** Is a token that the host issues at a time of ours good after a cut at another one? */
function isGoodAfter (clock: IssuerClock, { cutAt, issuedMs, name = 'later' }: { cutAt: number, issuedMs: number, name?: string }): boolean {
  const { validFrom, seen } = clock.cut('user', cutAt)
  return issuedMs >= validFrom.getTime() && !seen.includes(name)
}

/** `iat` of a host whose clock is `aheadMs` ahead. */
const iatMs = (at: number, aheadMs: number) => Math.floor((at + aheadMs) / 1_000) * 1_000

t.test('whichever clock is ahead, older tokens are refused and newer ones accepted', async t => {
  for (const aheadMs of [-9_000, -5_000, -1_500, -1_000, -300, 0, 300, 1_000, 3_000, 60_000]) {
    for (const laterMs of [0, 100, 700, 1_000, 2_500, 10_000]) {
      const clock = new IssuerClock()
      const issuedMs = iatMs(start, aheadMs)
      clock.observe('user', 'before', issuedMs, start)
      const cutAt = start + laterMs
      t.notOk(isGoodAfter(clock, { cutAt, issuedMs, name: 'before' }), `${aheadMs}: issued ${laterMs} ms before`)
      for (const afterMs of [1, 600, 1_000, 5_000]) {
        if (aheadMs > -1_000 && aheadMs < 0 && afterMs < 1_000) continue // less than a second is not seen in whole seconds
        t.ok(isGoodAfter(clock, { cutAt, issuedMs: iatMs(cutAt + afterMs, aheadMs) }), `${aheadMs}: issued ${afterMs} ms after a cut ${laterMs} ms later`)
      }
    }
  }
})

t.test('a token first seen long after its issue tells nothing about the clock; other users\' tokens do', async t => {
  const clock = new IssuerClock()
  clock.observe('user', 'old', start - 3_600_000, start)
  t.same(clock.cut('user', start).validFrom, new Date(1_700_000_000_000), 'our own clock')
  clock.observe('other', 'fresh', iatMs(start, -5_000), start)
  t.same(clock.cut('user', start).validFrom.getTime(), iatMs(start, -5_000))
})

t.test('a logout works over the wire with a host application whose clock differs', async t => {
  const secret = 'a secret of sixteen characters'
  const { call, register } = await startApp(t, { JWT_SECRET: secret })
  const me = async (token: string) => (await call('GET', '/api/auth/me', { token })).status
  for (const ahead of [-5, 0, 5]) {
    const { id, token } = await register(`skewed${ahead}`)
    const iat = Math.floor(Date.now() / 1_000) + ahead
    const host = (more: object) => hs256({ id, iat, ...more }, secret)
    t.equal(await me(host({})), 200)
    t.equal(await me(host({ sid: 'a' })), 200)
    t.match(await call('POST', '/api/auth/logout', { token: host({ sid: 'a' }), body: { everywhere: true } }), { status: 200 })
    for (const before of [host({}), host({ sid: 'a' }), token, hs256({ id }, secret), host({ iat: iat - 1, sid: 'unseen' })]) t.equal(await me(before), 401, `${ahead}: before`)
    t.equal(await me(host({ iat: iat + 1 })), 200, `${ahead}: after`)
    const again = await call('POST', '/api/auth/login', { body: { username: `skewed${ahead}`, password: 'password-1' } })
    t.equal(await me(again.body.token as string), 200, 'a session of our own')
  }
})
