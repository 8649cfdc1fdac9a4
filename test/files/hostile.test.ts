import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { storedName } from '../../src/files/file-name.ts'
import { isInline, pictureSize, typeOf } from '../../src/files/file-type.ts'
import { isVisible } from '../../src/schemas/text.ts'
import { startApp } from '../helpers/app.ts'
import { contentOf, folderOf, png, upload } from '../helpers/files.ts'

const test = await startApp(t, { FILES_FREE_BYTES_MIN: '0' })
const { token } = await test.register('mallory')

const html = '<!doctype html><script>parent.postMessage(document.cookie)</script>'
const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
const xhtml = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body onload="alert(1)"/></html>'
const gif = Buffer.from('GIF89a\x01\x00\x01\x00\x80\x00\x00')
/** 64 MiB of zeros in an archive of 64 KiB. */
const zip = (() => {
  const [name, data] = [Buffer.from('[Content_Types].xml'), gzipSync(Buffer.alloc(64 * 1_048_576)).subarray(10, -8)]
  const head = Buffer.alloc(30)
  head.writeUInt32LE(0x04034b50, 0)
  head.writeUInt16LE(20, 4)
  head.writeUInt16LE(8, 8)
  head.writeUInt32LE(data.length, 18)
  head.writeUInt32LE(64 * 1_048_576, 22)
  head.writeUInt16LE(name.length, 26)
  return Buffer.concat([head, name, data])
})()

const files: Array<{ what: string, content: Buffer | string, name: string, type: RegExp, shown?: boolean }> = [
  { what: 'HTML named as a picture', content: html, name: 'a.png', type: /^text\/plain$/ },
  { what: 'HTML', content: html, name: 'a.html', type: /^text\/plain$/ },
  { what: 'a page of XHTML', content: xhtml, name: 'a.xhtml', type: /^application\/xml$/ },
  { what: 'SVG with a script', content: svg, name: 'a.svg', type: /^(text\/plain|application\/xml|image\/svg\+xml)$/ },
  { what: 'SVG behind a declaration', content: `<?xml version="1.0"?>${svg}`, name: 'a.svg', type: /^application\/xml$/ },
  { what: 'a script', content: 'alert(1)', name: 'a.js', type: /^text\/plain$/ },
  { what: 'a picture that is a script too', content: Buffer.concat([gif, Buffer.from('=1;alert(1)//')]), name: 'a.js', type: /^image\/gif$/, shown: true },
  { what: 'a picture with a page behind it', content: Buffer.concat([png, Buffer.from(html)]), name: 'a.html', type: /^image\/png$/, shown: true },
  { what: 'a page with a picture behind it', content: Buffer.concat([Buffer.from(html), png]), name: 'a.png', type: /^application\/octet-stream$/ },
  { what: 'a PDF', content: '%PDF-1.7\n%âãÏÓ\n', name: 'a.pdf', type: /^application\/pdf$/ },
  { what: 'an archive that unpacks to a thousand times its size', content: zip, name: 'a.docx', type: /^application\/(zip|octet-stream)$/ },
  { what: 'nothing', content: '', name: 'empty.png', type: /^text\/plain$/ },
  { what: 'bytes of no form', content: randomBytes(5_000), name: 'a.png', type: /^application\/octet-stream$/ }
]

for (const { what, content, name, type, shown = false } of files) {
  t.test(`${what} does nothing in a browser`, async t => {
    const { status, body } = await upload(test, token, content, name)
    t.equal(status, 201)
    t.match(body.file.type, type)
    const { headers, bytes } = await contentOf(test, body.file._id, token)
    t.same(bytes, Buffer.from(content), 'the bytes are what was sent')
    t.match(headers.get('content-type'), type)
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal(headers.get('content-security-policy'), "sandbox; default-src 'none'")
    t.match(headers.get('content-disposition'), shown ? /^inline/ : /^attachment/)
  })
}

const names: Array<{ what: string, given: string, kept: string }> = [
  { what: 'a path out of the folder', given: '../../../etc/passwd', kept: 'passwd' },
  { what: 'a path of Windows', given: 'C:\\Windows\\system32\\cmd.exe', kept: 'cmd.exe' },
  { what: 'steps of a path alone', given: '../..', kept: 'file' },
  { what: 'a name that is turned around', given: 'photo\u202egpj.exe', kept: 'photogpj.exe' },
  { what: 'a name of right-to-left letters', given: 'תמונה.png', kept: 'תמונה.png' },
  { what: 'a name that ends the header', given: 'a"\r\nSet-Cookie: x=1\r\n.png', kept: 'a"Set-Cookie: x=1.png' },
  { what: 'a name with a zero', given: 'a.png\u0000.exe', kept: 'a.png.exe' },
  { what: 'a name of 255 characters', given: `${'é'.repeat(251)}.png`, kept: `${'é'.repeat(251)}.png` },
  { what: 'a longer name', given: `${'😀'.repeat(300)}.png`, kept: `${'😀'.repeat(251)}.png` },
  { what: 'no name', given: '', kept: 'file' },
  { what: 'a name of spaces', given: ' \u3000 ', kept: 'file' }
]

for (const { what, given, kept } of names) {
  t.test(`${what} is only a name`, async t => {
    const { status, body } = await upload(test, token, png, given)
    t.equal(status, 201)
    t.equal(body.file.name, kept)
    const { headers } = await contentOf(test, body.file._id, token)
    const disposition = headers.get('content-disposition')!
    t.match(disposition, /^[\x20-\x7e]*$/)
    t.equal(headers.get('set-cookie'), null)
    const encoded = /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1]
    t.equal(encoded === undefined ? /filename="?((?:[^"\\]|\\.)*)"?$/.exec(disposition)?.[1]?.replaceAll('\\"', '"') : decodeURIComponent(encoded), kept)
  })
}

t.test('no path leads out of the folder of the files', async t => {
  const folder = folderOf(test.app.files)
  const outside = readdirSync(dirname(folder))
  for (const id of [
    '..', '..%2fjwt-secret', '%2e%2e%2fjwt-secret', '..%5cjwt-secret', '%00', 'a'.repeat(24) + '/../../jwt-secret'
  ]) {
    // Not by `fetch`, which would resolve the path.
    const asking = request(
      test.url, { path: `/api/files/${id}/content`, headers: { authorization: `Bearer ${token}` } }
    )
    asking.end()
    const [answer] = await once(asking, 'response')
    answer.resume()
    t.ok([400, 404].includes(answer.statusCode as number), `${id}: ${answer.statusCode as number}`)
  }
  t.ok(readdirSync(folder).every(name => /^[0-9a-f]{24}$/.test(name)), 'blobs have ids for names')
  t.strictSame(readdirSync(dirname(folder)), outside)
})

t.test('any name is stored as one visible line of at most 255 characters, and stays so', async t => {
  fc.assert(fc.property(fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ unit: 'grapheme', maxLength: 400 })
  ), given => {
    const name = storedName(given)
    return [...name].length <= 255 && isVisible(name) && !/[/\\\p{Cc}\p{Bidi_Control}]/u.test(name) && storedName(name) === name
  }), { numRuns: 500 })
  t.pass()
})

t.test('no beginning of a file makes the server fail, and only pictures, video and audio are shown', async t => {
  const starts = [png, gif, zip.subarray(0, 4_100), Buffer.from(
    'RIFF\x10\x00\x00\x00WEBPVP8X'
  ), Buffer.from('\x00\x00\x00\x18ftypavif'), Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, 8])]
  const content = fc.tuple(fc.constantFrom(...starts), fc.nat(200), fc.uint8Array({ maxLength: 300 }))
    .map(([start, keep, rest]) => Buffer.concat([start.subarray(0, keep), rest]))
  await fc.assert(fc.asyncProperty(content, async bytes => {
    const type = await typeOf(bytes)
    pictureSize(type, bytes)
    return /^[a-z]+\/[\w.+-]+$/.test(type) && (!isInline(type) || /^(image|video|audio)\//.test(type))
  }), { numRuns: 300 })
  t.pass()
})

t.test('a text may be cut within a character, and a picture that lies on its side is measured upright', async t => {
  t.equal(await typeOf(Buffer.from('é'.repeat(3_000)).subarray(0, 4_100)), 'text/plain')
  t.equal(await typeOf(Buffer.from(`a${'é'.repeat(3_000)}`).subarray(0, 4_100)), 'text/plain')
  t.equal(await typeOf(Buffer.from([0xc3])), 'application/octet-stream')
  // A JPEG of 3 × 2 pixels whose EXIF says: turn it by a quarter.
  const jpeg = Buffer.from(
    'ffd8ffe1002245786966000049492a0008000000010012010300010000000600000000000000ffc0000b080002000301011100ffd9', 'hex'
  )
  t.equal(await typeOf(jpeg), 'image/jpeg')
  t.strictSame(pictureSize('image/jpeg', jpeg), { width: 2, height: 3 })
})
