import fc from 'fast-check'
import t from 'tap'
import { sendTo } from '../../src/chat/messages/send-to.ts'
import { editMessage } from '../../src/chat/messages/edit-message.ts'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { type Followed, Follower } from '../../src/log/follower.ts'
import { positionCollection } from '../../src/log/positions.ts'
import { searchIndex, searchName } from '../../src/search/collections.ts'
import { reindex } from '../../src/search/reindex.ts'
import { searchMessages } from '../../src/search/search-messages.ts'
import { startApp } from '../helpers/app.ts'
import { newPerson } from '../helpers/people.ts'

const test = await startApp(t, { SEARCH: 'off', RATE_LIMIT_SENDS: '0' })
const { chat, mongo } = test.app
const [ann, bob] = [await newPerson(test), await newPerson(test)]
const conversationId = directId(ann.id, bob.id)

interface Handled {
  follower: Follower
  /** The last state of each row that was handled. */
  rows: Map<string, string>
  errors: unknown[]
}

function follow (name: string, before: (followed: Followed[]) => Promise<void> = async () => {}): Handled {
  const rows = new Map<string, string>()
  const errors: unknown[] = []
  const follower = new Follower(chat.log, positionCollection(mongo.db!), {
    name,
    handle: async followed => {
      await before(followed)
      for (const { rows: some } of followed) for (const row of some) rows.set(row._id.toHexString(), row.message ?? '')
    },
    onError: error => { errors.push(error) }
  })
  return { follower, rows, errors }
}

async function stored (): Promise<Array<[string, string]>> {
  const rows = await chat.log.collections.rows.find({ conversationId: { $lt: 'self_' } }).toArray()
  return rows.map(({ _id, message }): [string, string] => [_id.toHexString(), message ?? '']).sort()
}

const say = async (content: string) => (await sendTo(
  chat, ann.identity, { receiverId: bob.id, content }
)).message._id

t.test('I8 a follower handles what was there before it and what comes, and a later one goes on there', async t => {
  const first = await say('one')
  const one = follow('a')
  await one.follower.catchUp()
  await say('two')
  await editMessage(chat, ann.identity, { messageId: first, content: 'one, again' })
  await one.follower.catchUp()
  t.same([...one.rows].sort(), await stored())
  const heads = [(await chat.log.head(conversationId))!]
  t.equal((await one.follower.handledOf(heads)).get(conversationId), heads[0]!.headRev)
  await one.follower.close()
  await say('three')
  const two = follow('a')
  await two.follower.catchUp()
  t.same([...two.rows.values()], ['three'], 'what was handled is not handled again')
  await two.follower.close()
  t.same([...one.errors, ...two.errors], [])
})

t.test('a failed change is handled again, and none is left out', async t => {
  let fails = 3
  const one = follow('fails', async () => { if (fails-- > 0) throw new Error('away') })
  await one.follower.catchUp()
  await one.follower.close()
  t.same([...one.rows].sort(), await stored())
  t.equal(one.errors.length, 3)
})

t.test('several followers of one name leave nothing out, whichever of them ends', async () => {
  let made = 0
  await fc.assert(fc.asyncProperty(fc.array(
    fc.constantFrom('send', 'first', 'second', 'end'), { minLength: 3, maxLength: 12 }
  ), async steps => {
    const name = `several-${made++}`
    const seen = new Map<string, string>()
    const open = () => follow(name, async followed => {
      for (const { rows } of followed) for (const row of rows) seen.set(row._id.toHexString(), row.message ?? '')
    })
    let [first, second] = [open(), open()]
    const running: Array<Promise<void>> = []
    for (const step of steps) {
      if (step === 'send') await say(step)
      else if (step === 'first') running.push(first.follower.catchUp())
      else if (step === 'second') running.push(second.follower.catchUp())
      else {
        await first.follower.close()
        first = second
        second = open()
      }
    }
    await Promise.all([...running, first.follower.catchUp(), second.follower.catchUp()])
    await Promise.all([first.follower.close(), second.follower.close()])
    const left = (await stored()).filter(([id]) => !seen.has(id))
    if (left.length > 0) throw new Error(`left out: ${JSON.stringify(left)}`)
  }), { numRuns: 15 })
})

t.test('an index that is dropped is built again, and searches find everything meanwhile', async t => {
  const test = await startApp(t)
  const { messageSearch, chat, mongo } = test.app
  const [ann, bob] = [await newPerson(test), await newPerson(test)]
  await sendTo(chat, ann.identity, { receiverId: bob.id, content: 'the tide' })
  const { directories } = searchIndex(mongo.db!)
  await messageSearch.follower!.catchUp()
  t.equal(await directories.countDocuments(), 1)
  await messageSearch.follower!.close()
  await reindex(mongo.db!)
  t.equal(await directories.countDocuments(), 0)
  const follower = new Follower(
    chat.log, positionCollection(mongo.db!), { name: searchName, handle: async () => {}, onError: () => {} }
  )
  const found = async () => (await searchMessages(
    { ...messageSearch, follower }, bob.identity, { q: 'tide' }
  )).messages.map(({ message }) => message)
  t.same(await found(), ['the tide'])
  await follower.close()
})
