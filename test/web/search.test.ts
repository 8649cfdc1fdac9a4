import t from 'tap'
import { dm, noBrowser, open, signIn, startWeb, until } from './browser.ts'

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, browser } = await startWeb(t)
  const bob = await app.register('bob', { fullName: 'Bob Test' })

  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(`messages are found, narrowed and shown in their place (${colorScheme})`, async t => {
      const ada = await signIn(browser, app, `ada-${colorScheme}`, { colorScheme })
      const { page } = ada
      const say = async (content: string) => await app.call(
        'POST', '/api/messages', { token: bob.token, body: { receiverId: ada.id, content } }
      )
      await say('The Café opens at nine, see https://example.org/menu')
      for (let n = 0; n < 30; n++) await say(`filler ${n}`)
      await say('a cafe by the harbour')
      await open(page, app.url, dm(ada.id, bob.id))

      await page.keyboard.press('Control+k')
      const box = page.getByRole('searchbox', { name: 'Search' })
      await box.fill('cafe')
      const hits = page.locator('.hit')
      await until(page, 'document.querySelectorAll(".hit").length === 2')
      t.same(await page.locator('.hit mark').allInnerTexts(), ['cafe', 'Café'], 'the newest first')
      await box.press('Enter')

      await page.getByRole('button', { name: 'Has' }).click()
      await page.getByRole('menuitem', { name: 'Link' }).press('Enter')
      await until(page, 'document.querySelectorAll(".hit").length === 1')
      t.match(page.url(), /q=cafe&has=link/)
      await page.getByRole('button', { name: 'From' }).click()
      await page.getByRole('menuitem', { name: 'Me' }).click()
      await page.getByText('No message found').waitFor()
      await page.getByRole('button', { name: 'From Me' }).click()
      await page.getByRole('menuitem', { name: 'Anybody' }).click()
      await page.getByLabel('Until').fill('2020-01-01')
      await page.getByText('No message found').waitFor()
      await page.getByLabel('Until').fill('')

      await hits.first().click()
      await page.locator('article.found').getByText('The Café opens at nine').waitFor()

      await page.keyboard.press('Control+k')
      const recent = page.getByRole('region', { name: 'Recent searches' })
      await recent.getByRole('button', { name: 'cafe', exact: true }).click()
      await until(page, 'document.querySelectorAll(".hit").length === 2')
      await box.fill('')
      await recent.getByRole('button', { name: 'Remove “cafe”' }).click()
      await until(page, 'document.querySelector(".recent") === null')

      await ada.context.setOffline(true)
      await box.fill('harbour')
      await hits.getByText('a cafe by the').waitFor()
      t.same(ada.problems, [])
      await ada.context.close()
    })
  }
}
