import type { Message } from '@tidelog/client'
import { conversationPath } from '../router.ts'
import { client } from '../state/client.ts'
import { type Token, isEmojiOnly, tokenize } from './tokens.ts'
import { texts } from '../i18n/index.ts'

/** A message's text, with links, mentions and code. */
export function MessageText ({ message }: { message: Message }) {
  const tokens = tokenize(message.text)
  const me = client.session.get().user?.username.toLowerCase()
  const edited = message.editedAt === undefined ? null : <span class='edited'> {texts.value.chat.edited}</span>
  const runs = inRuns(tokens)
  const lastText = runs.findLastIndex(run => !run.isBlock)
  return (
    <>
      {runs.map((run, at) =>
        run.isBlock
          ? (
            <pre key={at} class='code' tabIndex={0}>
              <code>{run.tokens[0]?.text}</code>
            </pre>
            )
          : (
            <p key={at} class={`text${runs.length === 1 && isEmojiOnly(message.text) ? ' huge' : ''}`} dir='auto'>
              {run.tokens.map((token, n) => (
                <Part key={n} token={token} me={me} />
              ))}
              {at === lastText && edited}
            </p>
            )
      )}
      {lastText < 0 && edited}
    </>
  )
}

function Part ({ token, me }: { token: Token; me: string | undefined }) {
  switch (token.kind) {
    case 'link': {
      const path = conversationPath(token.href)
      if (path !== undefined) return <a href={path}>{token.text}</a>
      return (
        <a href={token.href} target='_blank' rel='noopener noreferrer nofollow'>
          {token.text}
        </a>
      )
    }
    case 'mention':
      return <span class={`at${token.name.toLowerCase() === me ? ' me' : ''}`}>{token.text}</span>
    case 'code':
      return <code>{token.text}</code>
    case 'block':
    case 'text':
      return <>{token.text}</>
  }
}

/** Code blocks stand for themselves; what is between them is one paragraph. */
function inRuns (tokens: Token[]): Array<{ isBlock: boolean; tokens: Token[] }> {
  const runs: Array<{ isBlock: boolean; tokens: Token[] }> = []
  for (const token of tokens) {
    const isBlock = token.kind === 'block'
    const last = runs.at(-1)
    if (isBlock || last === undefined || last.isBlock) runs.push({ isBlock, tokens: [token] })
    else last.tokens.push(token)
  }
  return runs
}
