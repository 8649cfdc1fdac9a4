import { imageSize } from 'image-size'
import fc from 'fast-check'
import type { Locator } from 'playwright-core'
import t from 'tap'
import { changed, sideOf, wholeFrame } from '../../web/src/ui/frame.ts'
import { dm, noBrowser, twoPeople, until, write, open } from './browser.ts'

await t.test('a frame never leaves its picture, however it is moved and zoomed', async t => {
  const side = fc.integer({ min: 1, max: 20_000 })
  const number = fc.double({ noNaN: true, min: -1e6, max: 1e6 })
  const change = fc.record({ dx: number, dy: number, by: fc.double({ noNaN: true, min: 0.001, max: 1_000 }) })
  fc.assert(fc.property(side, side, fc.array(change, { maxLength: 20 }), (width, height, changes) => {
    const size = { width, height }
    const frame = changes.reduce((before, by) => changed(size, before, by), wholeFrame(size))
    const half = sideOf(size, frame) / 2
    const slack = 1e-6 * Math.max(width, height)
    return frame.zoom >= 1 && frame.x - half >= -slack && frame.x + half <= width + slack &&
      frame.y - half >= -slack && frame.y + half <= height + slack
  }))
  t.pass()
})

if (noBrowser === undefined) {
  const { app, ada, bob } = await twoPeople(t)
  const tokenOf = async (username: string) =>
    (await app.call('POST', '/api/auth/login', { body: { username, password: 'password-1' } })).body.token as string
  const picture = { name: 'me.bmp', mimeType: 'image/bmp', buffer: redAndBlue(600, 300) }
  const choose = async (file: { name: string, mimeType: string, buffer: Buffer }) => {
    await ada.page.locator('.picture input').setInputFiles(file)
    const dialog = ada.page.getByRole('dialog', { name: 'Place the picture' })
    await dialog.waitFor()
    return dialog
  }
  const take = async (dialog: Locator) => {
    await dialog.getByRole('button', { name: 'Use picture' }).click()
    await dialog.waitFor({ state: 'detached' })
  }
  await open(ada.page, app.url, dm(ada.id, bob.id))
  await write(ada.page, 'hello')
  const row = bob.page.getByRole('link', { name: /Ada Test/ })
  await row.waitFor()

  await t.test('a picture is placed by keys, and shown to others instead of initials, in the same place', async t => {
    await row.getByText('AT', { exact: true }).waitFor()
    const place = await row.locator('.av').boundingBox()
    await ada.page.goto(`${app.url}/settings`)
    await ada.page.getByRole('button', { name: 'Edit' }).click()
    const dialog = await choose(picture)
    await until(ada.page, 'document.activeElement.classList.contains("crop")')
    await ada.page.keyboard.press('+')
    for (let presses = 0; presses < 30; presses++) await ada.page.keyboard.press('ArrowLeft')
    await take(dialog)
    t.match(await colourOf(ada.page.locator('.av.xl img').first()), { red: true })
    t.match(await colourOf(row.locator('.av img')), { red: true })
    t.same(await row.locator('.av').boundingBox(), place)
    t.equal(await row.getByText('AT', { exact: true }).count(), 0)
    const { body } = await app.call('GET', `/api/users/${ada.id}`, { token: await tokenOf('bob') })
    const stored = await fetch(app.url + body.user.profilePicture)
    t.match(imageSize(Buffer.from(await stored.arrayBuffer())), { width: 512, height: 512, type: 'webp' })
  })

  await t.test('it is placed by the pointer, and zoomed by the wheel and the slider', async t => {
    const dialog = await choose(picture)
    const zoom = dialog.getByRole('slider', { name: 'Zoom' })
    const stage = dialog.locator('.crop')
    const { x, y, width } = (await stage.boundingBox())!
    await ada.page.mouse.move(x + width - 10, y + width / 2)
    await ada.page.mouse.wheel(0, -400)
    await until(ada.page, 'document.querySelector(".crop-zoom input").valueAsNumber > 20')
    await zoom.fill('10')
    await ada.page.mouse.down()
    await ada.page.mouse.move(x - 2 * width, y + width / 2, { steps: 3 })
    await ada.page.mouse.up()
    await take(dialog)
    await until(bob.page, 'document.querySelector(\'.row .av img\')?.complete === true')
    t.match(await colourOf(ada.page.locator('.av.xl img').first()), { blue: true })
  })

  await t.test('a file that is not a picture is refused with a message', async t => {
    const buffer = Buffer.from('<svg onload="alert(1)"/>')
    const dialog = await choose({ name: 'a.png', mimeType: 'image/png', buffer })
    await dialog.getByRole('alert').getByText('This browser cannot read the file as a picture').waitFor()
    t.equal(await dialog.getByRole('button', { name: 'Use picture' }).isDisabled(), true)
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await ada.page.getByRole('button', { name: 'Remove', exact: true }).click()
    await row.getByText('AT', { exact: true }).waitFor()
    await ada.page.keyboard.press('Escape')
  })

  await t.test('a picture that cannot be loaded leaves the initials', async t => {
    const profilePicture = `${app.url}/nowhere.png`
    const asked = bob.page.waitForResponse(profilePicture)
    await app.call('PATCH', '/api/users/me', { token: await tokenOf('ada'), body: { profilePicture } })
    await asked
    await until(bob.page, 'document.querySelector(".row .av img") === null')
    t.equal(await row.getByText('AT', { exact: true }).count(), 1)
  })

  await t.test('a room has a picture too', async t => {
    const token = await tokenOf('ada')
    const { body: { room } } = await app.call('POST', '/api/rooms', { token, body: { name: 'Garden' } })
    await app.call('PUT', `/api/rooms/${room.roomId}/members/${bob.id}`, { token, body: {} })
    await open(ada.page, app.url, room.conversationId)
    await ada.page.getByRole('main').getByRole('button', { name: 'More', exact: true }).first().click()
    await ada.page.getByRole('menuitem', { name: 'Room settings' }).click()
    await ada.page.getByRole('button', { name: 'Choose a picture' }).waitFor()
    await take(await choose(picture))
    const mark = bob.page.getByRole('link', { name: /Garden/ }).locator('.av img')
    await mark.waitFor()
    t.match(await colourOf(mark), { red: true })
    await ada.page.getByRole('button', { name: 'Remove', exact: true }).click()
    await mark.waitFor({ state: 'detached' })
  })

  await t.test('nothing went wrong in the pages', async t => {
    t.same([...ada.problems, ...bob.problems], [])
  })
}

/** A bitmap whose left half is red and whose right half is blue. */
function redAndBlue (width: number, height: number): Buffer {
  const line = Buffer.alloc(Math.ceil(width * 3 / 4) * 4)
  for (let x = 0; x < width; x++) line[x * 3 + (x < width / 2 ? 2 : 0)] = 255
  const head = Buffer.alloc(54)
  head.write('BM')
  head.writeUInt32LE(54 + line.length * height, 2)
  head.writeUInt32LE(54, 10)
  head.writeUInt32LE(40, 14)
  head.writeInt32LE(width, 18)
  head.writeInt32LE(height, 22)
  head.writeUInt16LE(1, 26)
  head.writeUInt16LE(24, 28)
  return Buffer.concat([head, ...Array.from({ length: height }, () => line)])
}

/** Of the left of a picture that is shown. */
async function colourOf (picture: Locator): Promise<{ red: boolean, blue: boolean }> {
  await picture.waitFor()
  const address = JSON.stringify(await picture.getAttribute('src'))
  const [red, , blue] = await picture.page().evaluate<number[]>(`(async () => {
    const img = Object.assign(new Image(), { src: ${address} })
    await img.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: 9, height: 9 })
    const context = canvas.getContext('2d')
    context.drawImage(img, 0, 0, 9, 9)
    return [...context.getImageData(2, 4, 1, 1).data]
  })()`)
  return { red: red! > 200 && blue! < 60, blue: blue! > 200 && red! < 60 }
}
