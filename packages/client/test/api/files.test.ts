import { randomBytes } from 'node:crypto'
import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { startProxy } from '../../../../test/helpers/tcp-proxy.ts'
import type { TidelogError } from '../../src/errors.ts'
import { createClient } from '../../src/index.ts'
import { newClient } from '../helpers/clients.ts'

t.test('files that are uploaded at once', async t => {
  const { url } = await startApp(t, { FILE_BYTES_MAX: '20000000', FILE_TYPES: 'text/*,application/octet-stream' })
  const asked: string[] = []
  const ada = await newClient(t, url, {
    fetch: async (...given) => {
      asked.push(`${given[1]?.method} ${new URL(String(given[0])).pathname}`)
      return await fetch(...given)
    }
  })

  t.test('upload resolves with what the server knows of the file, and reports its progress', async t => {
    const progress: number[] = []
    const file = await ada.files.upload(new Blob(['a text']), {
      name: 'Grüße.txt', onProgress: (sent, size) => { progress.push(sent, size) }
    })
    t.match(file, { name: 'Grüße.txt', type: 'text/plain', size: 6 })
    t.match(file.id, /^[0-9a-f]{24}$/)
    t.strictSame(progress, [0, 6, 6, 6])
    t.strictSame(await ada.files.get(file.id), file)
  })

  t.test('an empty file is uploaded too', async t => {
    t.match(await ada.files.upload(new Blob([]), { name: 'empty' }), { size: 0 })
  })

  t.test('URLs are requested together, lead to the content without a token, and are kept', async t => {
    const texts = ['one', 'two', 'three']
    const files = await Promise.all(texts.map(text => ada.files.upload(new Blob([text]))))
    asked.length = 0
    const urls = await Promise.all(files.map(({ id }) => ada.files.url(id)))
    t.strictSame(await Promise.all(urls.map(async url => await (await fetch(url)).text())), texts)
    t.strictSame(await ada.files.url(files[0]!.id), urls[0])
    t.strictSame(asked, ['POST /api/files/links'])
    const error = await ada.files.url('0'.repeat(24)).catch((error: unknown) => error as TidelogError)
    t.match(error, { code: 'NOT_FOUND' })
  })

  t.test('a file that is too large, or of a refused type, fails permanently', async t => {
    const tooLarge = ada.files.upload(new Blob([new Uint8Array(20_000_001)]))
    await t.rejects(tooLarge, { code: 'TOO_LARGE', retryable: false })
    await t.rejects(ada.files.upload(new Blob(['GIF89a…'])), { code: 'UNSUPPORTED_MEDIA_TYPE', retryable: false })
  })

  t.test('an upload continues after each broken connection, and arrives unchanged', async t => {
    const proxy = await startProxy(t, Number(new URL(url).port))
    const away = createClient({ url: `http://127.0.0.1:${proxy.port}` })
    t.teardown(() => away.close())
    await away.register({ fullName: 'Away', username: 'away', email: 'away@example.org', password: 'password-1' })
    const bytes = randomBytes(10_000_000)
    let cuts = 0
    const file = await away.files.upload(new Blob([bytes]), {
      onProgress: sent => {
        if (cuts >= 3 || sent < (cuts + 1) * 2_000_000) return
        cuts++
        proxy.mend()
      }
    })
    t.equal(cuts, 3)
    const content = await (await fetch(await away.files.url(file.id))).arrayBuffer()
    t.ok(bytes.equals(Buffer.from(content)))
  })

  t.test('an upload that is aborted ends', async t => {
    const aborted = new AbortController()
    const upload = ada.files.upload(new Blob([new Uint8Array(5_000_000)]), {
      signal: aborted.signal, onProgress: () => { aborted.abort() }
    })
    await t.rejects(upload, { code: 'ABORTED' })
  })
})
