// Module hooks: a TypeScript file is compiled by the first process that loads it, and kept in .tap/compiled under a
// name made of its content, so that a file that changed is another one.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../.tap/compiled', import.meta.url))
// Not TypeScript, which takes half a second to load: the first run compiles each test file in the file's own process.
const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } }
const maps = { sourcemap: 'inline', sourcesContent: false }
const options = { loader: 'ts', format: 'esm', target: 'es2022', ...maps, tsconfigRaw }

/** An engine that runs from the sources has tsx compile them in its thread: most of its start was that. */
export async function resolve (specifier, context, nextResolve) {
  if (specifier !== 'tsx/esm/api') return await nextResolve(specifier, context)
  return { url: new URL('compile-thread.mjs', import.meta.url).href, shortCircuit: true }
}

export async function load (url, context, nextLoad) {
  if (!/^file:.*\.ts$/.test(url) || url.includes('/node_modules/')) return await nextLoad(url, context)
  return { format: 'module', shortCircuit: true, source: await compiled(url) }
}

async function compiled (url) {
  const fileName = fileURLToPath(url)
  const text = readFileSync(fileName, 'utf8')
  const kept = `${folder}/${createHash('sha256').update(fileName).update(text).digest('hex')}.mjs`
  try {
    return readFileSync(kept, 'utf8')
  } catch {
    const { transform } = await import('esbuild')
    const { code } = await transform(text, { ...options, sourcefile: fileName })
    mkdirSync(folder, { recursive: true })
    // Renamed whole: another process may be reading.
    writeFileSync(`${kept}.${process.pid}`, code)
    renameSync(`${kept}.${process.pid}`, kept)
    return code
  }
}
