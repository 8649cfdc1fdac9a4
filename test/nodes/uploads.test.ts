import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { begin, contentOf, goOn, offsetOf, openPatch } from '../helpers/files.ts'
import { startNodes, type TestNode } from '../helpers/nodes.ts'

// Two servers with one database and one folder of files.
const { nodes, register } = await startNodes(t, 2, () => ({ RATE_LIMIT_REQUESTS: '0' }))
const [first, second] = [nodes[0]!, nodes[1]!]
const { token } = await register('ann')
const { files } = first.app

/** The same upload at a node. */
const at = (node: TestNode, address: string) => node.url + new URL(address).pathname

/** What is asked again until no other node holds the upload. */
async function unlocked<R> (ask: () => Promise<R>, statusOf: (answer: R) => number): Promise<R> {
  for (;;) {
    const answer = await ask()
    if (statusOf(answer) !== 423) return answer
    await delay(20)
  }
}

t.test('if an upload continues on another server, the earlier request ends and its later bytes are lost', async t => {
  const content = randomBytes(2_000)
  const { at: address } = await begin(first, token, content.length)
  const id = address.split('/').at(-1)!
  const before = openPatch(address, token, 0, content.length)
  t.teardown(() => before.sending.destroy())
  before.sending.write(content.subarray(0, 500))
  while (await files.blobs.size(id) !== 500) await delay(5)
  t.equal(await goOn(at(second, address), token, 500, content.subarray(500)), 423, 'not both at once')

  const { offset } = await unlocked(() => offsetOf(at(second, address), token), ({ status }) => status)
  t.equal(offset, 500)
  t.equal(await goOn(at(second, address), token, 500, content.subarray(500)), 204)
  before.sending.write('x'.repeat(1_500))
  await before.status
  for (const node of nodes) t.same((await contentOf(node, id, token)).bytes, content, 'a file that is whole stays so')
})

t.test('the upload of a server that died continues on another one when its lease ends', async t => {
  const { at: address } = await begin(first, token, 10)
  const _id = new ObjectId(address.split('/').at(-1)!)
  const held = (ms: number) => ({ $set: { lease: { nodeId: 'dead', until: new Date(Date.now() + ms) } } })
  await files.files.updateOne({ _id }, held(60_000))
  t.equal(await goOn(address, token, 0, Buffer.alloc(10)), 423)
  t.match(await files.files.findOne({ _id }), { lease: { nodeId: 'dead', isWanted: true } })
  await files.files.updateOne({ _id }, held(-1))
  t.equal(await goOn(address, token, 0, Buffer.alloc(10)), 204)
  t.equal((await files.files.findOne({ _id }))?.lease, undefined)
})

t.test('an upload that continues on two servers at once is still the file that was sent', async () => {
  const pieces = fc.array(fc.record({ node: fc.nat(1), bytes: fc.integer({ min: 1, max: 40_000 }) }), {
    minLength: 2, maxLength: 6
  })
  await fc.assert(fc.asyncProperty(pieces, async given => {
    const content = randomBytes(100_000)
    const { at: address } = await begin(first, token, content.length)
    const send = async ({ node, bytes }: { node: number, bytes: number }) => {
      const there = at(nodes[node]!, address)
      const { offset } = await unlocked(() => offsetOf(there, token), ({ status }) => status)
      await goOn(there, token, offset, content.subarray(offset, offset + bytes))
    }
    await Promise.all(given.map(send))
    for (;;) {
      const { offset } = await unlocked(() => offsetOf(address, token), ({ status }) => status)
      if (offset === content.length) break
      await goOn(address, token, offset, content.subarray(offset))
    }
    const { bytes } = await contentOf(second, address.split('/').at(-1)!, token)
    if (!bytes.equals(content)) throw new Error('the file differs')
    await fetch(address, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })
  }), { numRuns: 4, endOnFailure: true })
})
