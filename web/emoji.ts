import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Plugin } from 'vite'

/** What the picker needs of an emoji; its variants by skin, the greater part of the list, it does not show. */
interface Listed { unicode: string, label: string, tags?: string[], group?: number }

const prefix = 'virtual:emoji/'
/** Skin and hair colours: parts, no emoji of their own. */
const components = 2

/** `virtual:emoji/<language>`: the emoji of a language as [emoji, label, words, group], a third of the list's size. */
export function emojiLists (): Plugin {
  const { resolve } = createRequire(import.meta.url)
  return {
    name: 'emoji-lists',
    resolveId: id => id.startsWith(prefix) ? `\0${id}` : undefined,
    load: id => {
      if (!id.startsWith(`\0${prefix}`)) return undefined
      const file = resolve(`emojibase-data/${id.slice(prefix.length + 1)}/compact.json`)
      const list = (JSON.parse(readFileSync(file, 'utf8')) as Listed[])
        .filter(({ group }) => group !== undefined && group !== components)
        .map(({ unicode, label, tags = [], group }) => [unicode, label, tags.join(' '), group])
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(list))})`
    }
  }
}
