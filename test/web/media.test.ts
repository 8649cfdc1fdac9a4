import type { Page } from 'playwright-core'
import t from 'tap'
import { dm, noBrowser, open, twoPeople, until } from './browser.ts'

const seconds = 60

/** A sound of a minute, so large that no browser fetches all of it before it is played. */
function sound (): Buffer {
  const rate = 44_100
  const samples = Buffer.alloc(seconds * rate * 4)
  for (let at = 0; at < samples.length; at += 4) {
    const level = Math.round(8_000 * Math.sin((at / 4 / rate) * 2 * Math.PI * 220))
    samples.writeInt16LE(level, at)
    samples.writeInt16LE(level, at + 2)
  }
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + samples.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(2, 22)
  header.writeUInt32LE(rate, 24)
  header.writeUInt32LE(rate * 4, 28)
  header.writeUInt16LE(4, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.length, 40)
  return Buffer.concat([header, samples])
}

/** A WebM of about a second, as a browser records it. */
const film = async (page: Page) => Buffer.from(await page.evaluate(`(async () => {
  const canvas = document.createElement('canvas')
  canvas.width = 200; canvas.height = 150
  const context = canvas.getContext('2d')
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm;codecs=vp8' })
  const parts = []
  recorder.ondataavailable = ({ data }) => { parts.push(data) }
  const stopped = new Promise(resolve => { recorder.onstop = resolve })
  recorder.start()
  for (let frame = 0; frame < 30; frame++) {
    context.fillStyle = 'hsl(' + frame * 12 + ' 80% 50%)'
    context.fillRect(0, 0, 200, 150)
    await new Promise(resolve => setTimeout(resolve, 40))
  }
  recorder.stop()
  await stopped
  return [...new Uint8Array(await new Blob(parts).arrayBuffer())]
})()`) as number[])

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, ada, bob } = await twoPeople(t)
  const chat = dm(ada.id, bob.id)
  await Promise.all([open(ada.page, app.url, chat), open(bob.page, app.url, chat)])
  const send = async (name: string, mimeType: string, buffer: Buffer) => {
    await ada.page.locator('input[type=file]').setInputFiles([{ name, mimeType, buffer }])
    await ada.page.getByRole('list', { name: 'Files to send' }).getByText(name).waitFor()
    await ada.page.locator('#composer').press('Enter')
  }
  /** Where the parts begin that the reader's browser asked for. */
  const asked: number[] = []
  bob.page.on('response', response => {
    const [, start] = /^bytes=(\d+)-/.exec(response.request().headers()['range'] ?? '') ?? []
    if (start !== undefined && response.status() === 206) asked.push(Number(start))
  })
  /** The player of a message that bob sees, as one finds it on the page and in a script. */
  const playerOf = (element: 'audio' | 'video', name: string) => {
    const selector = `${element}[aria-label="${name}"]`
    return { player: bob.page.locator(selector), it: `document.querySelector('${selector}')` }
  }

  await t.test('an audio file plays in its place, from the point where its scrubber is pressed', async t => {
    const content = sound()
    await send('tide.wav', 'audio/wav', content)
    const { player, it } = playerOf('audio', 'tide.wav')
    await player.waitFor()
    await until(bob.page, `${it}.readyState >= 1`)
    t.equal(await bob.page.evaluate(`${it}.duration`), seconds)
    t.equal(await bob.page.evaluate(`${it}.paused`), true, 'not by itself')
    const { width, height } = (await player.boundingBox())!
    await player.click({ position: { x: 30, y: height / 2 } })
    await until(bob.page, `${it}.currentTime > 0.1`)
    await player.click({ position: { x: width * 0.6, y: height / 2 } })
    await until(bob.page, `!${it}.seeking && ${it}.currentTime > ${seconds / 4}`)
    const pressed = Number(await bob.page.evaluate(`${it}.currentTime`))
    await until(bob.page, `${it}.currentTime > ${pressed}`)
    t.ok(asked.some(start => start > content.length / 4), 'what lies between is not fetched')
    await bob.page.evaluate(`${it}.currentTime = ${seconds - 1}`)
    await until(bob.page, `${it}.ended`)
  })

  await t.test('a video is shown in its own ratio, plays, and plays again from its middle', async t => {
    await send('wave.webm', 'video/webm', await film(ada.page))
    const { player, it } = playerOf('video', 'wave.webm')
    await player.waitFor()
    await until(bob.page, `${it}.readyState >= 1`)
    t.same(await bob.page.evaluate(`[${it}.videoWidth, ${it}.videoHeight]`), [200, 150])
    const { width, height } = (await player.boundingBox())!
    t.same([width, height], [200, 150])
    await player.click({ position: { x: width / 2, y: height / 2 } })
    await until(bob.page, `${it}.ended`)
    const played = Number(await bob.page.evaluate(`${it}.currentTime`))
    const from = await bob.page.evaluate(`new Promise(resolve => {
      const video = ${it}
      video.addEventListener('seeked', () => {
        const { currentTime } = video
        video.addEventListener('ended', () => { resolve(currentTime) }, { once: true })
      }, { once: true })
      video.currentTime = ${played / 2}
      void video.play()
    })`)
    t.ok(Math.abs(Number(from) - played / 2) < played / 4)
  })

  await t.test('nothing went wrong in the pages', async t => {
    t.same([...ada.problems, ...bob.problems], [])
  })
}
