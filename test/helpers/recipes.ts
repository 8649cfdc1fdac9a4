import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './process.ts'

/** A block of code of a page. Its first line is "```language name"; the name is optional. */
export interface CodeBlock {
  language: string
  name: string | undefined
  code: string
}

export function codeBlocksOf (page: string): CodeBlock[] {
  const text = readFileSync(join(root, 'docs', page), 'utf8')
  return [...text.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)]
    .map(([, language, name, code]) => ({ language: language!, name, code: code! }))
}

interface Suite { testdir: (files: Record<string, string>) => string }

/** Writes the named blocks of these pages into a folder, from which they find the project's packages. */
export function unpack (t: Suite, ...pages: string[]): string {
  const named = pages.flatMap(codeBlocksOf)
    .flatMap(({ name, code }) => name === undefined ? [] : [[name, code]] as const)
  return t.testdir(Object.fromEntries(named))
}

/** The module that a page has under this name. */
export async function importRecipe<T> (folder: string, name: string): Promise<T> {
  return await import(pathToFileURL(join(folder, name)).href) as T
}
