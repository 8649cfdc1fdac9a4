import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const source = path => fileURLToPath(new URL(`../src/${path}`, import.meta.url))

/** What each entry adds to a page, minified and gzipped, in bytes. */
export async function sizes () {
  const core = await gzipped('index.ts')
  const withIndexedDb = await gzipped('index.ts', 'storage/indexeddb.ts')
  const all = await gzipped('index.ts', 'storage/indexeddb.ts', 'network/socket.ts')
  return { core, withIndexedDb, all }
}

/** What each folder of the core weighs: minified, and its share of the gzipped size. */
async function parts () {
  const { chunks, outputs } = await bundled('index.ts')
  const bytes = {}
  const inputs = chunks.flatMap(({ path }) => Object.entries(outputs[path].inputs))
  for (const [path, { bytesInOutput }] of inputs) {
    const [, part = 'the rest'] = /src\/(\w+)\//.exec(path) ?? []
    bytes[part] = (bytes[part] ?? 0) + bytesInOutput
  }
  const minified = chunks.reduce((sum, { contents }) => sum + contents.length, 0)
  const share = zipped(chunks) / minified
  return Object.entries(bytes).sort(([, a], [, b]) => b - a)
    .map(([part, minified]) => ({ part, minified, gzipped: minified * share }))
}

async function gzipped (...entries) {
  return zipped((await bundled(...entries)).chunks)
}

function zipped (chunks) {
  return chunks.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0)
}

/** The chunks that a page loads at once: what is imported when it is used is not among them. */
async function bundled (...entries) {
  const contents = entries.map(entry => `export * from ${JSON.stringify(source(entry))}`).join('\n')
  const { outputFiles, metafile: { outputs } } = await build({
    stdin: { contents, resolveDir: source('.'), loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    splitting: true,
    outdir: 'out',
    write: false,
    metafile: true,
    conditions: ['@tidelog/source', 'browser']
  })
  const paths = new Set(['out/stdin.js'])
  for (const path of paths) {
    for (const { path: next, kind } of outputs[path].imports) if (kind === 'import-statement') paths.add(next)
  }
  const contentsOf = path => outputFiles.find(file => file.path.endsWith(`/${path}`)).contents
  const chunks = [...paths].map(path => ({ path, contents: contentsOf(path) }))
  return { chunks, outputs }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kilobytes = bytes => (bytes / 1_000).toFixed(1).padStart(5)
  for (const [name, bytes] of Object.entries(await sizes())) console.log(name.padEnd(16), kilobytes(bytes), 'KB')
  console.log('\nof the core, minified and gzipped:')
  for (const { part, minified, gzipped } of await parts()) {
    console.log(part.padEnd(16), kilobytes(minified), kilobytes(gzipped), 'KB')
  }
}
