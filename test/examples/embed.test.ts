import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { root } from '../helpers/process.ts'
import { request } from '../helpers/request.ts'
import { buildWeb, noBrowser, startBrowser, watch } from '../web/browser.ts'

const page = readFileSync(join(root, 'examples', 'embed.html'), 'utf8')

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  buildWeb()
  let token: string | undefined
  const host = createServer(({ url }, answer) => {
    if (url === '/chat-token') return answer.writeHead(token === undefined ? 401 : 200).end(token)
    answer.setHeader('content-type', 'text/html').end(page)
  }).listen(0, '127.0.0.1')
  await once(host, 'listening')
  t.teardown(() => {
    host.closeAllConnections()
    host.close()
  })
  const origin = `http://127.0.0.1:${(host.address() as AddressInfo).port}`
  const browser = await startBrowser(t)

  await t.test('a page of another origin shows one conversation, for the user of its token', async t => {
    const { url, register, call } = await startApp(t, { EMBED_ORIGINS: origin })
    const [ada, bob] = [await register('ada'), await register('bob')]
    const { headers } = await request(`${url}/`, { method: 'GET' })
    t.match(headers.get('content-security-policy'), `frame-ancestors ${origin};`)
    t.equal(headers.get('x-frame-options'), null)
    token = ada.token
    const context = await browser.newContext()
    const shop = await context.newPage()
    const problems = watch(shop)
    await shop.goto(`${origin}/embed.html?server=${url}&conversation=common_chat`)
    const chat = shop.frameLocator('tidelog-chat iframe')
    await chat.locator('#composer').fill('hello from the shop')
    await chat.locator('#composer').press('Enter')
    await chat.locator('article:not(.wait)').getByText('hello from the shop').waitFor()
    const { body: { messages } } = await call('GET', '/api/common-chat/messages', { token: bob.token })
    t.match(messages, [{ message: 'hello from the shop', user: { _id: ada.id } }])
    t.equal(await chat.getByRole('navigation').count(), 0, 'nothing is around it')
    const { body: { message: { conversationId } } } = await call('POST', '/api/messages', {
      token: bob.token, body: { receiverId: ada.id, content: 'psst' }
    })
    await shop.locator('#unread').getByText('(1)').waitFor()
    await shop.locator('tidelog-chat').evaluate((chat, id) => { chat.setAttribute('conversation', id) }, conversationId)
    await chat.getByText('psst').waitFor()
    t.same(problems, [])

    token = undefined
    await shop.reload()
    await chat.getByText('The page around this chat does not say who you are').waitFor()
    await context.close()
  })

  await t.test('a page whose origin the server does not name shows nothing', async t => {
    const { url, register } = await startApp(t)
    token = (await register('eve')).token
    const { headers } = await request(`${url}/`, { method: 'GET' })
    t.match(headers.get('content-security-policy'), "frame-ancestors 'none'")
    const context = await browser.newContext()
    const shop = await context.newPage()
    const refused = shop.waitForEvent('console', message => /frame-ancestors|refused|Framing/i.test(message.text()))
    await shop.goto(`${origin}/embed.html?server=${url}&conversation=common_chat`)
    t.match((await refused).text(), /frame/i)
    t.equal(await shop.frameLocator('tidelog-chat iframe').locator('#composer').count(), 0)
    await context.close()
  })
}
