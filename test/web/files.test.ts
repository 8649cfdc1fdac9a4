import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import t from 'tap'
import { begin } from '../helpers/files.ts'
import { dm, landed, noBrowser, open, signIn, twoPeople, until } from './browser.ts'

/** Colours from side to side. */
const picture = async (page: Page, type: string, width: number, height: number) =>
  Buffer.from(await page.evaluate(`(async () => {
    const canvas = new OffscreenCanvas(${width}, ${height}), context = canvas.getContext('2d')
    const colours = context.createLinearGradient(0, 0, ${width}, ${height})
    colours.addColorStop(0, '#0b6670'); colours.addColorStop(.6, '#f6b78b'); colours.addColorStop(1, '#1e2f38')
    context.fillStyle = colours
    context.fillRect(0, 0, ${width}, ${height})
    const blob = await canvas.convertToBlob({ type: '${type}', quality: .9 })
    return [...new Uint8Array(await blob.arrayBuffer())]
  })()`) as number[])

/** A script: a file arrives at an element. @param bytes or how many */
const dispatched = (selector: string, event: 'paste' | 'drop', name: string, bytes: number[] | number) => `(() => {
  const data = new DataTransfer()
  const type = ${JSON.stringify(name)}.endsWith('.png') ? 'image/png' : ''
  data.items.add(new File([new Uint8Array(${JSON.stringify(bytes)})], ${JSON.stringify(name)}, { type }))
  const given = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data }
  document.querySelector(${JSON.stringify(selector)}).dispatchEvent(
    ${event === 'paste' ? 'new ClipboardEvent' : 'new DragEvent'}('${event}', given)
  )
})()`

/** A JPEG with an EXIF segment that names a place. */
function withPlace (jpeg: Buffer): Buffer {
  const exif = Buffer.concat([Buffer.from('Exif\0\0'), Buffer.from('MM\0*\0\0\0\u0008\0\0GPS 54.3N 8.6E')])
  const segment = Buffer.alloc(4)
  segment.writeUInt16BE(0xffe1, 0)
  segment.writeUInt16BE(exif.length + 2, 2)
  return Buffer.concat([jpeg.subarray(0, 2), segment, exif, jpeg.subarray(2)])
}

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, browser, ada, bob } = await twoPeople(t)
  const chat = dm(ada.id, bob.id)
  await Promise.all([open(ada.page, app.url, chat), open(bob.page, app.url, chat)])
  const tray = ada.page.getByRole('list', { name: 'Files to send' })
  const choose = (files: Array<{ name: string, mimeType: string, buffer: Buffer }>) =>
    ada.page.locator('input[type=file]').setInputFiles(files)
  const photo = withPlace(await picture(ada.page, 'image/jpeg', 3_000, 2_000))

  await t.test('chosen files wait in a tray, and one can be taken out again', async t => {
    await choose([
      { name: 'mudflat.jpg', mimeType: 'image/jpeg', buffer: photo },
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('low tide at six') },
      { name: 'wrong.txt', mimeType: 'text/plain', buffer: Buffer.from('no') }
    ])
    await tray.getByText('Sent without the place and camera').waitFor()
    await tray.getByRole('button', { name: 'Remove wrong.txt' }).click()
    t.equal(await tray.getByText('wrong.txt').count(), 0)
    await ada.page.locator('#composer').fill('from the shore')
    await ada.page.locator('#composer').press('Enter')
    await landed(ada.page, 'from the shore').waitFor()
    t.equal(await tray.count(), 0)
  })

  await t.test('the other user sees the picture, without where it was taken, and a card for the file', async t => {
    const message = landed(bob.page, 'from the shore')
    const image = message.locator('.pic img:not(.coming)')
    await image.waitFor()
    const box = await message.locator('.pic').boundingBox()
    t.same([box?.width, Math.round(box?.height ?? 0)], [320, 213], 'the ratio of the picture')
    const address = await image.getAttribute('src')
    const answer = await bob.page.request.get(address ?? '')
    t.equal(answer.headers()['content-type'], 'image/jpeg')
    t.notMatch((await answer.body()).toString('latin1'), 'GPS 54.3N')
    t.match(await message.locator('.card').innerText(), /notes\.txt\s+TXT · 15 bytes/)
    const [download] = await Promise.all([
      bob.page.waitForEvent('download'), message.getByRole('link', { name: 'Download notes.txt' }).click()
    ])
    t.equal(readFileSync(await download.path(), 'utf8'), 'low tide at six')
  })

  await t.test('the original is sent if the user asks for it', async t => {
    await choose([{ name: 'original.jpg', mimeType: 'image/jpeg', buffer: photo }])
    await tray.getByRole('button', { name: 'Original files' }).click()
    await tray.getByText('Sent with the place and camera').waitFor()
    await ada.page.getByRole('button', { name: 'Send', exact: true }).click()
    const image = bob.page.getByRole('button', { name: 'Open original.jpg' }).locator('img:not(.coming)')
    await image.waitFor()
    const answer = await bob.page.request.get(await image.getAttribute('src') ?? '')
    t.match((await answer.body()).toString('latin1'), 'GPS 54.3N')
  })

  await t.test('pictures are pasted and dropped', async t => {
    const bytes = await picture(ada.page, 'image/png', 300, 600)
    await ada.page.evaluate(dispatched('#composer', 'paste', 'pasted.png', [...bytes]))
    await tray.getByRole('img', { name: 'pasted.png' }).waitFor()
    await ada.page.evaluate(dispatched('[role=log]', 'drop', 'dropped.png', [...bytes]))
    await tray.getByRole('img', { name: 'dropped.png' }).waitFor()
    await ada.page.locator('#composer').press('Enter')
    await bob.page.locator('.pics .pic img:not(.coming)').nth(1).waitFor()
    t.pass()
  })

  await t.test('the viewer goes through the pictures by keys, zooms, and gives the focus back', async t => {
    const opener = bob.page.getByRole('button', { name: 'Open original.jpg' })
    await opener.focus()
    await bob.page.keyboard.press('Enter')
    const viewer = bob.page.getByRole('dialog', { name: 'Picture' })
    await viewer.getByText('2 of 4').waitFor()
    await bob.page.keyboard.press('ArrowLeft')
    await viewer.getByText('1 of 4').waitFor()
    t.match(await viewer.locator('.below p').innerText(), 'from the shore')
    for (const place of [2, 3, 4]) {
      await bob.page.keyboard.press('ArrowRight')
      await viewer.getByText(`${place} of 4`).waitFor()
    }
    await viewer.getByRole('img', { name: 'dropped.png' }).waitFor()
    await bob.page.keyboard.press('+')
    await viewer.getByText('150 %').waitFor()
    await viewer.getByRole('link', { name: 'Download dropped.png' }).waitFor()
    await bob.page.keyboard.press('Escape')
    await viewer.waitFor({ state: 'hidden' })
    await until(bob.page, 'document.activeElement?.getAttribute("aria-label") === "Open original.jpg"')
    t.pass()
  })

  await t.test('a refused file shows the reason in its place, and can be deleted', async t => {
    // No server takes more than 100 MiB by default; nothing of it is read before it is refused.
    await ada.page.evaluate(dispatched('[role=log]', 'drop', 'huge.bin', 105 * 2 ** 20))
    await tray.getByText('huge.bin').waitFor()
    await ada.page.locator('#composer').press('Enter')
    const failed = ada.page.locator('article.failed')
    await failed.getByText('It is too large').waitFor()
    await failed.getByRole('button', { name: 'Delete' }).click()
    await failed.waitFor({ state: 'detached' })
    t.pass()
  })

  await t.test('a failed file can be retried in its place, and arrives', async t => {
    const { token } = await (await fetch(`${app.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ada', password: 'password-1' })
    })).json() as { token: string }
    // So many unfinished uploads that there is no room for one more.
    const unfinished = await Promise.all(Array.from({ length: 10 }, () => begin(app, token, 10)))
    const buffer = Buffer.alloc(300_000, 'tide')
    await choose([{ name: 'second try.bin', mimeType: 'application/octet-stream', buffer }])
    await tray.getByText('second try.bin').waitFor()
    await ada.page.locator('#composer').press('Enter')
    const failed = ada.page.locator('article.failed')
    await failed.getByText('Your files have used up the space').waitFor()
    const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' }
    for (const { at } of unfinished) t.equal((await fetch(at, { method: 'DELETE', headers })).status, 204)
    await failed.getByRole('button', { name: 'Retry' }).click()
    await failed.waitFor({ state: 'detached' })
    const arrived = (page: Page) => page.getByRole('log').getByText('second try.bin')
    await arrived(bob.page).waitFor()
    t.equal(await arrived(ada.page).count(), 1)
  })

  await t.test('on a phone the user takes a picture with the camera, in the dark theme too', async t => {
    const eve = await signIn(browser, app, 'eve', { touch: true, width: 390, colorScheme: 'dark' })
    await open(eve.page, app.url, dm(ada.id, eve.id))
    await eve.page.getByRole('button', { name: 'Attach a file' }).click()
    const chooser = eve.page.waitForEvent('filechooser')
    await eve.page.getByRole('menuitem', { name: 'Camera' }).click()
    const choosing = await chooser
    t.equal(choosing.isMultiple(), false)
    t.equal(await choosing.element().getAttribute('accept'), 'image/*')
    t.equal(await choosing.element().getAttribute('capture'), 'environment')
    await choosing.setFiles({ name: 'now.jpg', mimeType: 'image/jpeg', buffer: photo })
    await eve.page.getByRole('img', { name: 'now.jpg' }).first().waitFor()
    await eve.page.getByRole('button', { name: 'Send', exact: true }).click()
    await eve.page.getByRole('button', { name: 'Open now.jpg' }).locator('img:not(.coming)').waitFor()
    t.same(eve.problems, [])
  })

  await t.test('nothing went wrong in the pages', async t => {
    t.same([...ada.problems, ...bob.problems], [])
  })
}
