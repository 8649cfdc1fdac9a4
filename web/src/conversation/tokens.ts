/** A part of a message's text. All text is shown as text: nothing of it is ever read as HTML. */
export type Token =
  | { kind: 'text' | 'code' | 'block'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'mention'; text: string; name: string }

// A fenced block, `code`, an address, or @name not inside of a word (an e-mail address is no mention).
const special =
  /```\n?([\s\S]+?)```\n?|`([^`\n]+)`|(https?:\/\/[^\s<>"`]+)|(?<![\p{L}\p{N}_.@-])@([A-Za-z0-9_.-]{3,32})/gu

/** Cuts a text into tokens; their texts, joined, miss only the marks of code. */
export function tokenize (text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  for (const match of text.matchAll(special)) {
    const [whole, block, code, address, name] = match
    const link = address === undefined ? undefined : withoutTrailing(address)
    const token =
      block !== undefined
        ? { kind: 'block' as const, text: block.replace(/\n$/, '') }
        : code !== undefined
          ? { kind: 'code' as const, text: code }
          : link !== undefined
            ? linkOf(link)
            : mentionOf(name ?? '')
    if (token === undefined) continue
    if (match.index > at) tokens.push({ kind: 'text', text: text.slice(at, match.index) })
    tokens.push(token)
    at = match.index + (link ?? (token.kind === 'mention' ? token.text : whole)).length
  }
  if (at < text.length) tokens.push({ kind: 'text', text: text.slice(at) })
  return tokens
}

/** An address in a sentence ends before the sentence's marks; a closing bracket is part of it if it opened there. */
function withoutTrailing (address: string): string {
  let end = address.length
  while (end > 0) {
    const last = address.charAt(end - 1)
    const opener = { ')': '(', ']': '[' }[last]
    const part = address.slice(0, end)
    const isMark =
      opener === undefined
        ? /[.,:;!?'"…。、，！？]/u.test(last)
        : part.split(last).length > part.split(opener).length
    if (!isMark) break
    end--
  }
  return address.slice(0, end)
}

function linkOf (text: string): Token | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, hostname, href } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && hostname !== '' ? { kind: 'link', text, href } : undefined
}

/** A name may not end in a dot: "ask @ada." names ada. */
function mentionOf (written: string): Token | undefined {
  const name = written.replace(/[.-]+$/, '')
  return name.length < 3 ? undefined : { kind: 'mention', text: `@${name}`, name }
}

/** True for one to five emoji and nothing else: they are shown large. */
export function isEmojiOnly (text: string): boolean {
  return /^(?:\p{RGI_Emoji}\s?){1,5}$/v.test(text.trim())
}

/** The beginning of a text in one line, without the marks of code: for quotes and lists. */
export function oneLine (text: string): string {
  return text
    .slice(0, 400)
    .replace(/`{1,3}/g, '')
    .replace(/\s+/gu, ' ')
    .trim()
    .slice(0, 200)
}
