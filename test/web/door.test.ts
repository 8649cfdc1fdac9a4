import t from 'tap'
import { hs256 } from '../helpers/tokens.ts'
import { dm, landed, noBrowser, open, signIn, startWeb, until, watch, write } from './browser.ts'

const secret = 'a secret that the host application shares'

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, browser } = await startWeb(t, { JWT_SECRET: secret })
  const ada = await signIn(browser, app, 'ada')
  const bob = await app.register('bob', { fullName: 'Bob Test' })

  await t.test('a host application signs a user in with its token', async t => {
    const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
    const problems = watch(page)
    await page.goto(`${app.url}/sign-in#token=not-a-token`)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('This token is not valid, or has expired').waitFor()
    t.equal(await page.evaluate('location.hash'), '', 'the token is not left in the address')
    await page.getByLabel('Token', { exact: true }).fill(hostToken(3_600))
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('Up to date').first().waitFor()
    await open(page, app.url, dm(ada.id, bob.id))
    await write(page, 'by a token')
    await landed(page, 'by a token').waitFor()
    await page.getByText('Bob Test').first().waitFor()
    t.same(problems, [])
  })

  await t.test('a form that is not right says so below its field, in the reader’s language', async t => {
    const context = await browser.newContext({ locale: 'de-DE' })
    const page = await context.newPage()
    await page.goto(`${app.url}/sign-up`)
    const told = page.getByRole('alert')
    const press = async () => { await page.getByRole('button', { name: 'Konto anlegen' }).click() }
    await press()
    await told.getByText('Bitte ausfüllen').waitFor()
    await until(page, 'document.activeElement === document.querySelector("input")')
    for (const [at, text] of ['Neu', 'x!', 'nobody', 'short'].entries()) await page.locator('input').nth(at).fill(text)
    await press()
    await told.getByText('3 bis 32 Buchstaben').waitFor()
    await page.getByLabel('Benutzername').fill('neu')
    await press()
    await told.getByText('Das ist keine E-Mail-Adresse').waitFor()
    await page.getByLabel('E-Mail').fill('neu@example.org')
    await press()
    await told.getByText('Mindestens 8 Zeichen').waitFor()
    t.equal(await page.getByLabel('Passwort', { exact: true }).getAttribute('aria-invalid'), 'true')
    await context.close()
  })

  await t.test('when a host application’s token expires, messages wait, and the next token sends them', async t => {
    const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
    const isIn = page.getByRole('navigation')
    // On a busy machine a token may end before one is signed in: the next one lives twice as long.
    for (let seconds = 4; await isIn.count() === 0; seconds *= 2) {
      await page.goto('about:blank')
      await page.goto(`${app.url}/sign-in#token=${hostToken(seconds)}`)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await isIn.or(page.getByText('This token is not valid, or has expired')).first().waitFor()
    }
    await open(page, app.url, dm(ada.id, bob.id))
    await page.getByText('Signed out by the server').waitFor()
    await write(page, 'late')
    await page.locator('article.wait').filter({ hasText: 'late' }).waitFor()
    await page.getByRole('link', { name: 'Sign in again' }).click()
    await page.goto(`${app.url}/sign-in#token=${hostToken(3_600)}`)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    // Who leaves the page before is not signed in.
    await page.getByRole('navigation').waitFor()
    await open(page, app.url, dm(ada.id, bob.id))
    await landed(page, 'late').waitFor()
    await open(ada.page, app.url, dm(ada.id, bob.id))
    await landed(ada.page, 'late').waitFor()
    t.equal(await ada.page.locator('article').filter({ hasText: 'late' }).count(), 1)
  })

  await t.test('to delete their account users give the password; then they are signed out for good', async () => {
    const { page } = await signIn(browser, app, 'leaving')
    await page.goto(`${app.url}/settings`)
    await page.getByRole('button', { name: 'Delete account' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Password', { exact: true }).fill('wrong')
    await dialog.getByRole('button', { name: 'Delete account' }).click()
    await dialog.getByRole('alert').waitFor()
    await dialog.getByLabel('Password', { exact: true }).fill('password-1')
    await dialog.getByRole('button', { name: 'Delete account' }).click()
    await page.getByText('Your account is deleted').waitFor()
    await page.getByLabel('Username').fill('leaving')
    await page.getByLabel('Password', { exact: true }).fill('password-1')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('Wrong username or password').waitFor()
    await page.context().close()
  })

  await t.test('when a session ends while you type, the text stays, and the next session sends it', async t => {
    await open(ada.page, app.url, dm(ada.id, bob.id))
    const composer = ada.page.locator('#composer')
    await composer.click()
    await ada.page.keyboard.type('half a ')
    const { body } = await app.call('POST', '/api/auth/login', { body: { username: 'ada', password: 'password-1' } })
    await app.call('POST', '/api/auth/logout', { token: body.token, body: { everywhere: true } })
    await ada.page.getByText('Signed out by the server').waitFor()
    await ada.page.keyboard.type('sentence')
    t.equal(await composer.inputValue(), 'half a sentence')
    t.equal(await ada.page.evaluate('document.activeElement.id'), 'composer')
    await composer.press('Enter')
    await ada.page.locator('article.wait').filter({ hasText: 'half a sentence' }).waitFor()
    await ada.page.keyboard.type('and another')
    await ada.page.getByRole('link', { name: 'Sign in again' }).click()
    await ada.page.getByLabel('Password', { exact: true }).fill('password-1')
    await ada.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await ada.page.getByRole('link', { name: /Bob Test.*Draft:.*and another/ }).click()
    await landed(ada.page, 'half a sentence').waitFor()
    await until(ada.page, 'document.getElementById("composer").value === "and another"')
    t.same(ada.problems, [])
  })

  /** As the host application would issue it for Bob. */
  function hostToken (seconds: number): string {
    const now = Math.floor(Date.now() / 1_000)
    return hs256({ id: bob.id, iat: now, exp: now + seconds }, secret)
  }
}
