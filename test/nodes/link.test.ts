import fc from 'fast-check'
import t from 'tap'
import { startNodes, type TestNode } from '../helpers/nodes.ts'
import { type TestSocket, connectLive } from '../helpers/sockets.ts'

const environment = { RATE_LIMIT_INVITATIONS: '0', RATE_LIMIT_REQUESTS: '0' }
const { bus, nodes, call: ask, register } = await startNodes(t, 2, () => environment)
const [here, there] = nodes as [TestNode, TestNode]
const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]

const call: typeof ask = async (...given) => {
  const answer = await ask(...given)
  if (answer.status >= 400) throw new Error(`${given.slice(1, 3).join(' ')} answered ${answer.status}`)
  return answer
}

/** What becomes of a word. */
const fates = ['arrives', 'arrives', 'is lost', 'comes twice', 'waits'] as const

const step = fc.constantFrom('say here', 'say there', 'remove', 'invite', 'release', 'cut', 'mend')
const script = fc.record({
  fates: fc.array(fc.constantFrom(...fates), { minLength: 1, maxLength: 12 }),
  steps: fc.array(step, { maxLength: 14 })
})

const live = (node: TestNode, { token }: { token: string }) => connectLive(t, node.url, token)
const [far, near, guest] = [await live(there, bob), await live(here, bob), await live(there, eve)]

const heardBy = ({ events }: TestSocket, conversationId: string) => events.flatMap(({ name, payload }) =>
  payload?.conversationId === conversationId && name !== 'messagesRead' ? [payload.rev as number] : [])

t.test('I4: whatever a link does, members get each rev once, in order, and a guest only their time', async () => {
  await fc.assert(fc.asyncProperty(script, async ({ fates, steps }) => {
    const { body: { room } } = await call(here, 'POST', '/api/rooms', ann.token, { name: 'x', isPrivate: true })
    const { roomId, conversationId } = room as { roomId: string, conversationId: string }
    const rev = async () => (await here.app.chat.log.heads([conversationId])).get(conversationId)!.headRev as number
    const members = `/api/rooms/${roomId}/members`
    const messages = `/api/rooms/${roomId}/messages`
    await call(here, 'PUT', `${members}/${bob.id}`, ann.token)
    const isHere = (payload: { conversationId: string }) => payload.conversationId === conversationId
    for (const socket of [far, near]) await socket.wait('conversationChanged', isHere)
    const first = await rev()

    let words = 0
    const fate = () => fates[words++ % fates.length]!
    let next: typeof fates[number] = 'arrives'
    bus.times = () => {
      next = fate()
      return next === 'is lost' ? 0 : next === 'comes twice' ? 2 : 1
    }
    bus.holds = () => next === 'waits'
    /** The revs at which the guest is a member. */
    const times: Array<{ from: number, to: number }> = []
    let isIn = false
    let isCut = false
    for (const step of steps) {
      if (step === 'say here') await call(here, 'POST', messages, ann.token, { content: step })
      else if (step === 'say there') await call(there, 'POST', messages, bob.token, { content: step })
      else if (step === 'release') bus.release()
      else if (step === 'remove' && isIn) {
        await call(here, 'DELETE', `${members}/${eve.id}`, ann.token)
        times.at(-1)!.to = await rev() - 1
        isIn = false
      } else if (step === 'invite' && !isIn) {
        await call(here, 'PUT', `${members}/${eve.id}`, ann.token)
        times.push({ from: await rev(), to: Infinity })
        isIn = true
      } else if (step === 'cut' && !isCut) {
        there.link.cut()
        isCut = true
      } else if (step === 'mend' && isCut) {
        there.link.mend()
        isCut = false
      }
    }
    bus.times = () => 1
    bus.holds = () => false
    bus.release()
    if (isCut) there.link.mend()
    while (!there.app.nodes.isUp) await new Promise(resolve => { setImmediate(resolve) })

    await call(here, 'POST', messages, ann.token, { content: 'the end' })
    const last = await rev()
    for (const socket of [far, near]) {
      await socket.wait('roomMessage', payload => isHere(payload) && payload.rev === last)
      const revs = heardBy(socket, conversationId).filter(one => one > first)
      const all = Array.from({ length: last - first }, (_, index) => first + 1 + index)
      if (String(revs) !== String(all)) throw new Error(`a member got ${String(revs)}, not ${String(all)}`)
    }
    await guest.ask('setupUser')
    for (const one of heardBy(guest, conversationId)) {
      if (!times.some(({ from, to }) => one >= from && one <= to)) throw new Error(`the guest got ${one}`)
    }
  }), { numRuns: 25 })
})
