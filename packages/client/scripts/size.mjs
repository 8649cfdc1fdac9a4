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

async function gzipped (...entries) {
  const contents = entries.map(entry => `export * from ${JSON.stringify(source(entry))}`).join('\n')
  const { outputFiles: [file] } = await build({
    stdin: { contents, resolveDir: source('.'), loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    conditions: ['@tidelog/source', 'browser']
  })
  return gzipSync(file.contents, { level: 9 }).length
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, bytes] of Object.entries(await sizes())) console.log(name.padEnd(16), (bytes / 1_000).toFixed(1), 'KB')
}
