import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { begin, contentOf, goOn, offsetOf, openPatch } from '../helpers/files.ts'
import { startNodes } from '../helpers/nodes.ts'
import { startServer } from '../helpers/process.ts'
import { startBucket } from '../helpers/s3.ts'

const bucket = await startBucket(t)
/** So many bytes are stored before the server falls asleep: a bucket gets the first ones when it can be 8 MiB. */
const places = [['folder', {}, 100_000], ['bucket', { S3_URL: bucket.url }, 8_388_608]] as const

for (const [where, environment, stored] of places) {
  t.test(`a server that wakes up damages no file in the ${where} that another has completed`, async t => {
    const { nodes: [awake], register, environment: shared } = await startNodes(t, 1, () => environment)
    const asleep = await startServer({ ...shared, ...environment })
    t.teardown(() => asleep.end('SIGKILL'))
    const { token } = await register('ann')
    const { files } = awake!.app
    const size = stored + 300_000
    const content = randomBytes(size)
    const { at } = await begin(asleep, token, size)
    const id = at.split('/').at(-1)!
    const there = awake!.url + new URL(at).pathname

    const { sending, status: answered } = openPatch(at, token, 0, size)
    sending.write(content.subarray(0, stored))
    while (await files.blobs.size(id) !== stored) await delay(10)
    asleep.child.kill('SIGSTOP')
    // It finds them when it wakes up.
    sending.end(Buffer.alloc(size - stored))

    const _id = new ObjectId(id)
    await files.files.updateOne({ _id }, { $set: { 'lease.until': new Date(0) } })
    bucket.refuses = method => method === 'PUT'
    if (where === 'bucket') t.equal((await offsetOf(there, token)).status, 503, 'not without a fence')
    bucket.refuses = () => false
    t.strictSame(await offsetOf(there, token), { status: 200, offset: stored })
    t.equal(await goOn(there, token, stored, content.subarray(stored)), 204)
    t.ok((await contentOf(awake!, id, token)).bytes.equals(content))

    asleep.child.kill('SIGCONT')
    const answer = await answered
    t.ok([undefined, 423].includes(answer), `it answers ${String(answer)}`)
    for (const server of [awake!, asleep]) {
      t.ok((await contentOf(server, id, token)).bytes.equals(content), 'what is whole never changes')
    }
    t.match(await files.files.findOne({ _id }), { state: 'ready', lease: undefined })
    if (where === 'bucket') {
      bucket.refuses = () => true
      t.equal((await contentOf(asleep, id, token)).status, 503)
      bucket.refuses = () => false
      while (!asleep.output().includes('request failed')) await delay(10)
      t.match(asleep.output(), /S3 returned 503.*"msg":"request failed"/, 'the log has what the bucket said')
    }
    t.equal((await fetch(there, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })).status, 204)
    for await (const left of files.blobs.ids()) t.fail(`${left} is left`)
  })
}
