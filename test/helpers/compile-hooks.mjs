// Module hooks. A TypeScript file is compiled by the first process that loads it, and kept in .tap/compiled under a
// name made of its content, so that a file that changed is another one. For a package stands the one file that
// packages.mjs made of it.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const folder = fileURLToPath(new URL('../../.tap/compiled', import.meta.url))
// Not TypeScript, which takes half a second to load: the first run compiles each test file in the file's own process.
const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } }
const maps = { sourcemap: 'inline', sourcesContent: false }
const options = { loader: 'ts', format: 'esm', target: 'es2022', ...maps, tsconfigRaw }

/** Where packages.mjs puts its files. */
export const packagesFolder = `${fileURLToPath(new URL('../../.tap/packages', import.meta.url))}/${versions()}`
const packagesUrl = pathToFileURL(packagesFolder).href
const packageFiles = filesIn(packagesFolder)

/** The file of a package. */
export const fileOf = specifier => specifier.replaceAll('/', '+')

/** An engine that runs from the sources has tsx compile them in its thread: most of its start was that. */
export async function resolve (specifier, context, nextResolve) {
  if (specifier === 'tsx/esm/api') {
    return { url: new URL('compile-thread.mjs', import.meta.url).href, shortCircuit: true }
  }
  const { parentURL } = context
  if (/^\.\.?\/.*\.ts$/.test(specifier) && parentURL !== undefined) return module(new URL(specifier, parentURL).href)
  const file = `${fileOf(specifier)}.mjs`
  // A package that imports another one has it as it is installed.
  if (packageFiles.has(file) && parentURL?.includes('/node_modules/') !== true) return module(`${packagesUrl}/${file}`)
  return await nextResolve(specifier, context)
}

export async function load (url, context, nextLoad) {
  if (!/^file:.*\.ts$/.test(url) || url.includes('/node_modules/')) {
    if (context.format !== 'module' || !url.startsWith('file:')) return await nextLoad(url, context)
    // Without tap's hook, which measures each line, and without a source map, which Node would read and nobody needs.
    const source = readFileSync(fileURLToPath(url), 'utf8').replace(/\/\/# sourceMappingURL=.*\s*$/, '')
    return { ...module(url), source }
  }
  return { ...module(url), source: await compiled(url) }
}

/** An answer of `resolve`, and with a source of `load`, that asks no other hook. */
function module (url) {
  return { url, format: 'module', shortCircuit: true }
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

/** Changes when other versions are to be installed. */
function versions () {
  const { mtimeMs, size } = statSync(new URL('../../package-lock.json', import.meta.url))
  return `${Math.round(mtimeMs)}-${size}`
}

function filesIn (folder) {
  try {
    return new Set(readdirSync(folder))
  } catch {
    return new Set()
  }
}
