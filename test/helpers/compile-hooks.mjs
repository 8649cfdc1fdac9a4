// Module hooks: a TypeScript file is compiled by the first process that loads it, and kept in .tap/compiled under a
// name made of its content, so that a file that changed is another one.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../.tap/compiled', import.meta.url))
const compilerOptions = { module: 'esnext', target: 'es2022', verbatimModuleSyntax: true, inlineSourceMap: true }

export async function load (url, context, nextLoad) {
  if (!/^file:.*\.tsx?$/.test(url) || url.includes('/node_modules/')) return await nextLoad(url, context)
  return { format: 'module', shortCircuit: true, source: await compiled(url) }
}

async function compiled (url) {
  const fileName = fileURLToPath(url)
  const text = readFileSync(fileName, 'utf8')
  const kept = `${folder}/${createHash('sha256').update(fileName).update(text).digest('hex')}.mjs`
  try {
    return readFileSync(kept, 'utf8')
  } catch {
    const { default: typescript } = await import('typescript')
    const { outputText } = typescript.transpileModule(text, { fileName, compilerOptions })
    mkdirSync(folder, { recursive: true })
    // Renamed whole: another process may be reading.
    writeFileSync(`${kept}.${process.pid}`, outputText)
    renameSync(`${kept}.${process.pid}`, kept)
    return outputText
  }
}
