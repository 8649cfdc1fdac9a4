import t from 'tap'
import { Typists, typingEndsMs } from '../../src/sockets/typists.ts'

/** Typists whose timers the test lets run out. */
function made () {
  const timers = new Set<() => void>()
  const told: string[] = []
  const ended: string[] = []
  const typists = new Typists({
    later: (ms, act) => {
      t.equal(ms, typingEndsMs)
      timers.add(act)
      return () => { timers.delete(act) }
    },
    onEnd: ({ conversationId, userId }) => { told.push(`${conversationId} ${userId}`) }
  })
  const began = (socketId: string, conversationId = 'c') => { typists.began(conversationId, 'u', socketId, () => { ended.push(socketId) }) }
  return { typists, timers, told, ended, began }
}

t.test('typing that is not repeated ends, and the end is announced once', async t => {
  const { timers, told, ended, began, typists } = made()
  began('s')
  began('s')
  t.equal(timers.size, 1, 'saying it again keeps it going')
  for (const act of [...timers]) act()
  t.same([told, ended, timers.size], [['c u'], ['s'], 0])
  typists.sent('c', 'u')
  typists.gone('u', 's', ['c'])
  t.same(told, ['c u'])
  t.ok(typists.isEmpty)
})

t.test('a send ends it on all sockets of the user, in that conversation', async t => {
  const { told, ended, began, typists } = made()
  began('one')
  began('two')
  began('one', 'd')
  typists.sent('c', 'somebody else')
  t.same(told, [])
  typists.sent('c', 'u')
  t.same([told, ended], [['c u'], ['one', 'two']])
  t.notOk(typists.isEmpty)
})

t.test('while the user still types on another device, no end of typing is announced', async t => {
  const { told, began, typists } = made()
  began('one')
  began('two')
  typists.gone('u', 'one', ['c', 'd'])
  t.same(told, [])
  typists.gone('u', 'two', ['c'])
  t.same(told, ['c u'])
})

t.test('a user who stopped is not announced again, and closing stops every timer', async t => {
  const { told, timers, began, typists } = made()
  began('s')
  typists.stopped('c', 'u', 's')
  t.same([told, timers.size], [[], 0])
  began('s')
  typists.close()
  t.same([told, timers.size, typists.isEmpty], [[], 0, true])
})
