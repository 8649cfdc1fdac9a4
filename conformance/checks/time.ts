import type { History } from '../history.ts'
import type { Checked, Finding } from '../report.ts'

/** Promise 7: `updatedAt` of a direct conversation's messages strictly increases with `rev`. */
export function checkTime ({ seen, snapshots }: Pick<History, 'seen' | 'snapshots'>): Checked {
  const conversations = new Map<string, Map<number, Set<string>>>()
  const all = [...seen, ...snapshots.flatMap(({ messages }) => messages)]
  for (const { conversationId, rev, updatedAt } of all) {
    if (updatedAt === undefined) continue
    let revs = conversations.get(conversationId)
    if (revs === undefined) conversations.set(conversationId, revs = new Map())
    const times = revs.get(rev)
    if (times === undefined) revs.set(rev, new Set([updatedAt]))
    else times.add(updatedAt)
  }
  const findings: Finding[] = []
  let looked = 0
  for (const [conversationId, revs] of conversations) {
    looked += revs.size
    findings.push(...judge(conversationId, revs))
  }
  return { looked, unexercised: looked > 0 ? [] : ['no direct message was seen'], findings }
}

function judge (conversationId: string, revs: ReadonlyMap<number, ReadonlySet<string>>): Finding[] {
  const findings: Finding[] = []
  let before: { rev: number, time: string } | undefined
  for (const [rev, times] of [...revs].sort(([a], [b]) => a - b)) {
    const [time] = times
    if (times.size > 1) findings.push({ what: `${conversationId}: rev ${rev} was seen with the times ${[...times].join(' and ')}` })
    if (before !== undefined && time! <= before.time) findings.push({ what: `${conversationId}: rev ${rev} has the time ${time!}, rev ${before.rev} before it ${before.time}` })
    before = { rev, time: time! }
  }
  return findings
}
