import t from 'tap'
import { dm, landed, noBrowser, open, twoPeople, until, write } from './browser.ts'

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, ada, bob } = await twoPeople(t)
  const menuOf = async (page: typeof ada.page, text: string) => {
    await landed(page, text).hover()
    await landed(page, text).getByRole('button', { name: 'More' }).click()
  }

  await t.test('both users find a pinned message under the head, one by one and in a list', async t => {
    await open(ada.page, app.url, dm(ada.id, bob.id))
    for (const text of ['the key is under the mat', 'the mat is blue']) {
      await write(ada.page, text)
      await landed(ada.page, text).waitFor()
    }
    for (let n = 0; n < 40; n++) await write(ada.page, `filler ${n}`)
    await landed(ada.page, 'filler 39').waitFor()
    await open(bob.page, app.url, dm(ada.id, bob.id))
    const bar = bob.page.getByRole('group', { name: 'Pinned messages' })
    for (const text of ['the key is under the mat', 'the mat is blue']) {
      await landed(ada.page, text).scrollIntoViewIfNeeded()
      await menuOf(ada.page, text)
      await ada.page.getByRole('menuitem', { name: 'Pin for everyone' }).click()
      await bar.getByText(text).waitFor()
    }
    await bar.getByText('Pinned message 2 of 2').click()
    await bob.page.locator('article.found').getByText('the mat is blue').waitFor()
    await bar.getByText('Pinned message 1 of 2').waitFor()
    t.match(await bar.innerText(), 'the key is under the mat', 'the next press shows the one before')

    await bar.getByRole('button', { name: 'Pinned messages' }).click()
    const list = bob.page.getByRole('dialog', { name: 'Pinned messages' })
    await list.getByText('the key is under the mat').click()
    await bob.page.locator('article.found').getByText('the key is under the mat').waitFor()
  })

  await t.test('a pin ends in the menu and in the list, and with its message', async t => {
    await menuOf(ada.page, 'the mat is blue')
    await ada.page.getByRole('menuitem', { name: 'Unpin' }).click()
    await bob.page.getByText('Pinned message', { exact: true }).waitFor()
    const bar = ada.page.getByRole('group', { name: 'Pinned messages' })
    await bar.getByRole('button', { name: 'Pinned messages' }).click()
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Unpin' }).click()
    await until(ada.page, 'document.querySelector(".pins") === null')
    await until(bob.page, 'document.querySelector(".pins") === null')
    t.pass()
  })

  await t.test('nothing went wrong in the pages', async t => {
    t.same([...ada.problems, ...bob.problems], [])
  })
}
