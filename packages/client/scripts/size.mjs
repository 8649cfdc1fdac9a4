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
  const { file, metafile } = await bundled('index.ts')
  const bytes = {}
  for (const [path, { bytesInOutput }] of Object.entries(Object.values(metafile.outputs)[0].inputs)) {
    const [, part = 'the rest'] = /src\/(\w+)\//.exec(path) ?? []
    bytes[part] = (bytes[part] ?? 0) + bytesInOutput
  }
  const share = gzipSync(file.contents, { level: 9 }).length / file.contents.length
  return Object.entries(bytes).sort(([, a], [, b]) => b - a).map(([part, minified]) => ({ part, minified, gzipped: minified * share }))
}

async function gzipped (...entries) {
  const { file } = await bundled(...entries)
  return gzipSync(file.contents, { level: 9 }).length
}

async function bundled (...entries) {
  const contents = entries.map(entry => `export * from ${JSON.stringify(source(entry))}`).join('\n')
  const { outputFiles: [file], metafile } = await build({
    stdin: { contents, resolveDir: source('.'), loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    conditions: ['@tidelog/source', 'browser']
  })
  return { file, metafile }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kilobytes = bytes => (bytes / 1_000).toFixed(1).padStart(5)
  for (const [name, bytes] of Object.entries(await sizes())) console.log(name.padEnd(16), kilobytes(bytes), 'KB')
  console.log('\nof the core, minified and gzipped:')
  for (const { part, minified, gzipped } of await parts()) {
    console.log(part.padEnd(16), kilobytes(minified), kilobytes(gzipped), 'KB')
  }
}
