import { texts } from '../i18n/index.ts'
import { lastConversation } from '../router.ts'
import { client } from '../state/client.ts'
import type { Stored } from '../state/device-faults.ts'
import { useReadable } from '../state/readable.ts'

type Log = Stored['conversations'][number]

const logsMax = 5
/** What the wire calls your own log. */
const selfLog = 'self'

/** How far each log is stored here. */
export function Logs ({ stored }: { stored: Stored | undefined }) {
  const t = texts.value.faults
  const summaries = useReadable(client.conversations)
  const byId = new Map(stored?.conversations.map(log => [log.id, log]))
  const shown = summaries.flatMap(summary => {
    const log = byId.get(summary.id)
    return log === undefined ? [] : [{ summary, log }]
  })
  return (
    <>
      <h3>
        <span>{t.cursors}</span>
      </h3>
      <table>
        <thead>
          <tr>
            <th>{t.log}</th>
            <th>{t.cursor}</th>
            <th class='r'>{t.rev}</th>
            <th class='r'>{t.unread}</th>
          </tr>
        </thead>
        <tbody>
          {shown.slice(0, logsMax).map(({ summary, log }) => (
            <tr key={log.id}>
              <td class='cut' dir='auto'>
                {summary.title.slice(0, 16)}
              </td>
              <td>{short(log.cursor)}</td>
              <td class='r'>{log.rev}</td>
              <td class='r'>{summary.unreadCount}</td>
            </tr>
          ))}
          {stored?.self !== undefined && (
            <tr>
              <td>{selfLog}</td>
              <td>{short(stored.self.cursor)}</td>
              <td class='r'>{stored.self.rev}</td>
              <td class='r'>–</td>
            </tr>
          )}
        </tbody>
      </table>
    </>
  )
}

const short = (cursor: string): string => (cursor.length > 8 ? `${cursor.slice(0, 4)}…${cursor.slice(-2)}` : cursor)

interface Stretch { from: number, to: number, isHeld: boolean }

/** Which messages of the open conversation are stored here, and which are missing between them. */
export function Held ({ stored }: { stored: Stored | undefined }) {
  const t = texts.value.faults
  const log = stored?.conversations.find(({ id }) => id === lastConversation.value)
  if (log === undefined) return null
  const stretches = stretchesOf(log)
  const gaps = stretches.filter(({ isHeld }) => !isHeld)
  return (
    <>
      <h3 class='sp'>
        <span>{t.held}</span>
        <span class='num'>{t.gaps(gaps.length)}</span>
      </h3>
      <div class='held num'>
        {stretches.map(({ from, to, isHeld }) => (
          <i
            key={from}
            class={isHeld ? undefined : 'gap'}
            // A short one is seen too.
            style={{ flex: Math.max(0.05, (to - from + 1) / Math.max(1, log.seen)) }}
          >
            {isHeld ? t.fromTo(from, to) : ''}
          </i>
        ))}
      </div>
      <p class='tiny muted'>{gaps.length > 0 && t.missing(gaps.map(({ from, to }) => t.fromTo(from, to)))}</p>
    </>
  )
}

/** From the first message that is left to the newest: what is held, and the gaps. */
function stretchesOf ({ ranges, purgedSeq, seen }: Log): Stretch[] {
  const stretches: Stretch[] = []
  let next = purgedSeq + 1
  for (const [from, to] of ranges) {
    if (from > next) stretches.push({ from: next, to: from - 1, isHeld: false })
    stretches.push({ from, to, isHeld: true })
    next = to + 1
  }
  if (next <= seen) stretches.push({ from: next, to: seen, isHeld: false })
  return stretches
}
