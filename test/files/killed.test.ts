import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { begin, contentOf, goOn, offsetOf, openPatch } from '../helpers/files.ts'
import { startServer } from '../helpers/process.ts'
import { register } from '../helpers/register.ts'

const mebibyte = 1_048_576

/** Sends bytes of an upload over a link that breaks: when `part` of them have left, `breaks` is called. */
async function sendPart (
  at: string, token: string, offset: number, bytes: Buffer, part: number, breaks: () => unknown
): Promise<void> {
  const { sending } = openPatch(at, token, offset, bytes.length)
  const closed = new Promise(resolve => { sending.once('close', resolve) })
  await new Promise(resolve => { sending.write(bytes.subarray(0, part), resolve) })
  // The server has taken some of it by now, and may have taken all.
  await breaks()
  sending.destroy()
  await closed
}

t.test('over a link that breaks ten times, to a server killed twice, a file arrives whole and once', async t => {
  const base = t.testdir({ data: {} })
  const environment = {
    DATA_DIR: join(base, 'data'), JWT_SECRET: 'a secret for the test of files', FILES_FREE_BYTES_MIN: '0'
  }
  let server = await startServer(environment)
  t.teardown(() => { server.child.kill('SIGKILL') })
  const ada = await register(server.url, 'ada')
  const eve = await register(server.url, 'eve')
  const content = randomBytes(6 * mebibyte)
  const { at } = await begin(server, ada.token, content.length, 'film.mp4')
  const id = at.split('/').at(-1)!
  const address = () => `${server.url}/api/files/${id}`
  const offsets: number[] = []
  for (let link = 0; link < 10; link++) {
    const { status, offset } = await offsetOf(address(), ada.token)
    t.equal(status, 200)
    offsets.push(offset)
    await sendPart(address(), ada.token, offset, content.subarray(offset), 500_000, async () => {
      if (link === 3 || link === 7) await server.end('SIGKILL')
    })
    if (link === 3 || link === 7) server = await startServer(environment)
  }
  t.strictSame([...offsets].sort((a, b) => a - b), offsets, 'what was stored stays')
  const whole = async (): Promise<number> => {
    const { offset } = await offsetOf(address(), ada.token)
    t.ok(offset > 0 && offset < content.length, `${offset} bytes had arrived`)
    const status = await goOn(address(), ada.token, offset, content.subarray(offset))
    // What came over the last link that broke was still being stored.
    return status === 409 ? await whole() : status
  }
  t.equal(await whole(), 204)
  const { status, bytes } = await contentOf(server, id, ada.token)
  t.equal(status, 200)
  const hashOf = (of: Buffer) => createHash('sha256').update(of).digest('hex')
  t.equal(hashOf(bytes), hashOf(content))
  t.strictSame(readdirSync(join(base, 'data', 'files')), [id], 'there is one file')
  t.equal((await contentOf(server, id, eve.token)).status, 404)
})
