import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const source = path => fileURLToPath(new URL(`../src/${path}`, import.meta.url))

/** What a page loads, minified and gzipped, in bytes: at once, to be connected too, and in all. */
export async function sizes () {
  const entries = {
    core: ['index.ts'],
    withIndexedDb: ['index.ts', 'storage/indexeddb.ts'],
    all: ['index.ts', 'storage/indexeddb.ts', 'network/socket.ts']
  }
  const measured = Object.entries(entries).map(async ([name, paths]) => {
    const page = await bundled(...paths)
    const [first, connected] = [page.reached([]), page.reached(['engine/leader.ts', 'socket.io-client'])]
    const bytes = { first: zipped(first), connected: zipped(connected), whole: zipped(page.chunks) }
    return [name, { ...bytes, files: first.length }]
  })
  return Object.fromEntries(await Promise.all(measured))
}

/** What each folder of the first load of the core weighs: minified, and its share of the gzipped size. */
async function parts () {
  const { reached } = await bundled('index.ts')
  const chunks = reached([])
  const bytes = {}
  for (const [path, { bytesInOutput }] of chunks.flatMap(({ inputs }) => Object.entries(inputs))) {
    const [, part = 'the rest'] = /src\/(\w+)\//.exec(path) ?? []
    bytes[part] = (bytes[part] ?? 0) + bytesInOutput
  }
  const share = zipped(chunks) / chunks.reduce((sum, { contents }) => sum + contents.length, 0)
  return Object.entries(bytes).sort(([, a], [, b]) => b - a)
    .map(([part, minified]) => ({ part, minified, gzipped: minified * share }))
}

function zipped (chunks) {
  return chunks.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0)
}

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
  const chunks = Object.entries(outputs).map(([path, about]) =>
    ({ path, ...about, contents: outputFiles.find(file => file.path.endsWith(`/${path}`)).contents }))
  /** The chunks that are loaded at once, with those of what is imported when it is used. */
  const reached = used => {
    const isUsed = ({ entryPoint = '' }) => entryPoint === '<stdin>' || used.some(name => entryPoint.includes(name))
    const found = new Set(chunks.filter(isUsed))
    for (const { imports } of found) {
      const next = imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path)
      for (const chunk of chunks) if (next.includes(chunk.path)) found.add(chunk)
    }
    return [...found]
  }
  return { chunks, reached }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kilobytes = bytes => (bytes / 1_000).toFixed(1).padStart(5)
  console.log('KB, minified and gzipped'.padEnd(26), 'first', 'connected', 'everything')
  for (const [name, { first, connected, whole }] of Object.entries(await sizes())) {
    console.log(name.padEnd(26), kilobytes(first), kilobytes(connected).padStart(9), kilobytes(whole).padStart(10))
  }
  console.log('\nof the first load of the core:')
  for (const { part, minified, gzipped } of await parts()) {
    console.log(part.padEnd(16), kilobytes(minified), kilobytes(gzipped), 'KB')
  }
}
