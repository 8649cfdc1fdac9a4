import t from 'tap'
import { landed, noBrowser, open, twoPeople, until, write } from './browser.ts'

/** What would run, or take over the page, if it were ever read as HTML or as an address of a script. */
const attacks = [
  '<img src=x onerror="window.hacked=1">', '<script>window.hacked=1</script>', 'javascript:window.hacked=1//https://a.example', '"><svg onload=window.hacked=1>',
  // eslint-disable-next-line no-template-curly-in-string
  '${window.hacked=1}', '`<b onclick=window.hacked=1>`', '```\n<iframe srcdoc="<script>parent.hacked=1</script>">\n```', 'https://a.example/"onmouseover="window.hacked=1'
]

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, ada, bob } = await twoPeople(t)
  const name = '<img src=x onerror="window.hacked=1">'

  await t.test('a room is created with its first members, who find it in their lists', async t => {
    await ada.page.getByRole('button', { name: 'Rooms' }).click()
    await ada.page.getByRole('tab', { name: 'Create' }).click()
    await ada.page.getByLabel('Name').fill(name)
    await ada.page.getByLabel('Topic').fill('What floats')
    await ada.page.getByRole('combobox').fill('bob')
    await ada.page.getByRole('option', { name: /Bob Test/ }).click()
    await ada.page.getByRole('button', { name: 'Create room' }).click()
    await ada.page.locator('#composer').waitFor()
    await bob.page.getByRole('link', { name }).click()
    await bob.page.locator('#composer').waitFor()
    t.equal(await bob.page.getByRole('heading', { level: 1 }).innerText(), name)
    await bob.page.locator('header.bar').getByText('What floats').waitFor()
  })

  await t.test('every text is shown as text, in every place', async t => {
    for (const text of attacks) {
      await write(ada.page, text)
      await until(ada.page, 'document.querySelectorAll(".msg.wait").length === 0')
    }
    await landed(bob.page, 'onmouseover').waitFor()
    await bob.page.locator('article').nth(attacks.length - 1).waitFor()
    const changed = await app.call('PATCH', '/api/users/me', {
      token: await login('ada'), body: { fullName: name, profilePicture: 'https://a.example/x#onerror=window.hacked=1' }
    })
    t.equal(changed.status, 200)
    await bob.page.reload()
    await bob.page.locator('article .head').getByText(name).first().waitFor()
    await bob.page.goto(`${app.url}/search?q=hacked`)
    await bob.page.locator('.hit').first().waitFor()
    // The other places: a quote, a draft, the title, the members, the mentions on offer, and every part of an address.
    const { body } = await app.call('GET', '/api/rooms', { token: await login('bob') })
    await open(bob.page, app.url, body.rooms[0].conversationId as string)
    await landed(bob.page, 'onmouseover').hover()
    await landed(bob.page, 'onmouseover').getByRole('button', { name: 'Reply' }).click()
    await write(bob.page, name)
    await landed(bob.page, name).locator('.quote').waitFor()
    await bob.page.locator('#composer').fill(`${name} @ada`)
    await bob.page.locator('#composer').press('Backspace')
    await bob.page.getByRole('option').getByText(name).waitFor()
    await bob.page.getByRole('button', { name: 'Members' }).click()
    await bob.page.getByRole('complementary').getByText(name).first().waitFor()
    await until(bob.page, `document.title.includes(${JSON.stringify(name)})`)
    await ada.page.locator('#composer').fill(name)
    const draft = ada.page.locator('.row').filter({ hasText: 'Draft:' })
    await draft.getByText(name).first().waitFor()
    const part = encodeURIComponent(name)
    const paths = [`/c/${part}?m=${part}&p=${part}`, `/search?q=${part}&in=${part}`, `/sign-in#username=${part}`]
    for (const path of paths) {
      await bob.page.goto(app.url + path)
      await bob.page.locator('main').waitFor()
    }
    await bob.page.goto(`${app.url}/search?q=hacked`)
    await bob.page.locator('.hit').first().waitFor()
    for (const page of [ada.page, bob.page]) {
      t.equal(await page.evaluate('window.hacked'), undefined)
      t.equal(await page.locator('article img[src=x], article iframe, article svg[onload], .hit iframe').count(), 0)
    }
    t.same(await bob.page.locator('a[href^="javascript:"]').count(), 0)
  })

  await t.test('a user who is removed while the room is open sees that, and the room disappears', async t => {
    await open(bob.page, app.url, 'common_chat')
    await bob.page.getByRole('link', { name }).first().click()
    await bob.page.locator('#composer').fill('half a sentence')
    await ada.page.getByRole('button', { name: 'Members' }).click()
    const member = ada.page.getByRole('complementary').getByRole('listitem').filter({ hasText: 'Bob Test' })
    await member.hover()
    await member.getByRole('button').click()
    await ada.page.getByRole('menuitem', { name: 'Remove from room' }).click()
    await bob.page.waitForURL(`${app.url}/`)
    t.equal(await bob.page.getByRole('navigation').getByRole('link', { name }).count(), 0)
  })

  await t.test('a banned user is listed, and can be let in again', async t => {
    const { body } = await app.call('GET', '/api/rooms', { token: await login('ada') })
    const { roomId } = body.rooms[0]
    const banned = await app.call('PUT', `/api/rooms/${roomId}/bans/${bob.id}`, { token: await login('ada') })
    t.equal(banned.status, 200)
    await ada.page.getByRole('button', { name: 'Banned people' }).click()
    const dialog = ada.page.getByRole('dialog', { name: 'Banned people' })
    await dialog.getByText('@bob').waitFor()
    await dialog.getByRole('button', { name: 'Lift the ban' }).click()
    await dialog.getByText('Nobody is banned from this room').waitFor()
    await ada.page.keyboard.press('Escape')
    const { body: left } = await app.call('GET', `/api/rooms/${roomId}/bans`, { token: await login('ada') })
    t.same(left.users, [])
  })

  await t.test('the keyboard reaches everything', async t => {
    await ada.page.keyboard.press('Escape')
    await ada.page.keyboard.press('Control+k')
    await ada.page.getByRole('searchbox', { name: 'Search' }).waitFor()
    await ada.page.keyboard.press('Escape')
    await ada.page.locator('#composer').waitFor()
    await ada.page.keyboard.press('Alt+ArrowDown')
    await ada.page.getByRole('log').focus()
    await ada.page.keyboard.press('?')
    await ada.page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await ada.page.keyboard.press('Escape')
    t.equal(await ada.page.getByRole('dialog').count(), 0)
  })

  await t.test('a search leads to a room that one is not in, which shows itself and the way in', async t => {
    const body = { name: 'Lighthouse', topic: 'Lamps and lenses' }
    await app.call('POST', '/api/rooms', { token: await login('bob'), body })
    await ada.page.goto(`${app.url}/search?q=lighthouse`)
    await ada.page.getByRole('link', { name: /Lighthouse/ }).click()
    await ada.page.getByText('1 member · Lamps and lenses').waitFor()
    t.equal(await ada.page.locator('#composer').count(), 0, 'nothing can be written that would be refused')
    await ada.page.getByRole('button', { name: 'Join' }).click()
    await write(ada.page, 'here I am')
    await landed(ada.page, 'here I am').waitFor()
    await ada.page.goto(`${app.url}/c/room_${'0'.repeat(24)}`)
    await ada.page.getByText('This room is not there').waitFor()
    await ada.page.getByRole('link', { name: 'All rooms' }).click()
    await ada.page.getByRole('dialog', { name: 'Rooms' }).waitFor()
  })

  await t.test('nothing went wrong in the pages', t => {
    t.same(ada.problems.filter(text => !/a\.example/.test(text)), [])
    t.same(bob.problems.filter(text => !/a\.example/.test(text)), [])
    t.end()
  })

  async function login (username: string): Promise<string> {
    const { body } = await app.call('POST', '/api/auth/login', { body: { username, password: 'password-1' } })
    return body.token as string
  }
}
