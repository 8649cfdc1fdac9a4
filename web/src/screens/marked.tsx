import { Fragment } from 'preact'

/** Characters of a message that a result shows. */
const snippetMax = 240

/** A text in which the words that were asked for are marked. */
export function Marked ({ text, words }: { text: string; words: string[] }) {
  if (words.length === 0) return <>{text}</>
  const found = new RegExp(
    `(${words.map(word => RegExp.escape?.(word) ?? word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`,
    'giu'
  )
  return (
    <>
      {text.split(found).map((part, at) => (
        <Fragment key={at}>{at % 2 === 1 ? <mark>{part}</mark> : part}</Fragment>
      ))}
    </>
  )
}

/** The part of a long text around the first word that was asked for. */
export function snippet (text: string, words: string[]): string {
  if (text.length <= snippetMax) return text
  const lower = text.toLowerCase()
  const at = Math.max(
    0,
    Math.min(...words.map(word => lower.indexOf(word.toLowerCase())).filter(index => index >= 0), text.length)
  )
  const start = at >= text.length ? 0 : Math.max(0, at - snippetMax / 3)
  const end = start + snippetMax
  return (start > 0 ? '…' : '') + text.slice(start, end) + (end < text.length ? '…' : '')
}

declare global {
  interface RegExpConstructor {
    escape?: (text: string) => string
  }
}
