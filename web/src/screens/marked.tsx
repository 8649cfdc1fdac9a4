import { hitsIn } from '@tidelog/client/search'
import { Fragment } from 'preact'

/** Characters of a message that a result shows. */
const snippetMax = 240

/** A text in which what was asked for is marked, as the search finds it: without case and accents. */
export function Marked ({ text, query }: { text: string; query: string }) {
  const hits = hitsIn(text, query)
  return (
    <>
      {hits.map(([from, to], at) => (
        <Fragment key={from}>
          {text.slice(hits[at - 1]?.[1] ?? 0, from)}
          <mark>{text.slice(from, to)}</mark>
        </Fragment>
      ))}
      {text.slice(hits.at(-1)?.[1] ?? 0)}
    </>
  )
}

/** The part of a long text around the first place that was asked for. */
export function snippet (text: string, query: string): string {
  if (text.length <= snippetMax) return text
  const at = hitsIn(text, query)[0]?.[0] ?? 0
  const start = Math.max(0, Math.floor(at - snippetMax / 3))
  const end = start + snippetMax
  return (start > 0 ? '…' : '') + text.slice(start, end) + (end < text.length ? '…' : '')
}
