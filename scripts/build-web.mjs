// Builds the web app into web/dist, unless it is up to date: Vite's bundle, the list of files for the service worker,
// and a brotli and a gzip copy of each text file, so that the server compresses nothing.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = join(root, 'web/dist')
const stamp = join(out, '.stamp')

const sources = fingerprint()
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) process.exit(0)

const { build } = await import('vite').catch(() => ({}))
if (build === undefined) {
  // Without development dependencies: what `npm run build` made elsewhere is served, or the server has no page.
  console.error('The web app is not built: Vite is not installed')
  process.exit(0)
}
for (const config of ['web/vite.config.ts', 'web/vite.sw.config.ts']) {
  await build({ configFile: join(root, config), logLevel: 'error' })
}
listForServiceWorker()
await Promise.all(
  filesOf(out)
    .filter(file => /\.(html|js|css|json|svg|webmanifest)$/.test(file))
    .map(compress)
)
writeFileSync(stamp, sources)

/** Changes if a file that goes into the build changes: names, sizes and times of all of them. */
function fingerprint () {
  const hash = createHash('sha256')
  const inputs = [
    'web/index.html', 'web/vite.config.ts', 'web/vite.sw.config.ts', 'web/emoji.ts', 'package-lock.json',
    'scripts/build-web.mjs'
  ]
  const folders = ['web/src', 'web/sw', 'web/public', 'packages/client/src'].filter(folder =>
    existsSync(join(root, folder))
  )
  for (const file of [...inputs, ...folders.flatMap(folder => filesOf(join(root, folder)))]) {
    const path = file.startsWith(root) ? file : join(root, file)
    const { size, mtimeMs } = statSync(path)
    hash.update(`${relative(root, path)} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

/** Tells the service worker what to keep for a start without a connection, and a version that moves with any of it. */
function listForServiceWorker () {
  const worker = join(out, 'sw.js')
  const files = filesOf(out)
    .map(file => relative(out, file).split(sep).join('/'))
    .filter(file => file !== 'sw.js' && !file.endsWith('.map'))
  const version = createHash('sha256')
  for (const file of files) version.update(file).update(readFileSync(join(out, file)))
  const code = readFileSync(worker, 'utf8')
    .replace(/(["'`])__FILES__\1/, JSON.stringify(JSON.stringify(files)))
    .replace('__VERSION__', version.digest('hex').slice(0, 16))
  if (code.includes('__FILES__') || code.includes('__VERSION__')) {
    throw new Error('the service worker has no place for its list of files')
  }
  writeFileSync(worker, code)
}

async function compress (file) {
  const content = readFileSync(file)
  if (content.length < 512) return
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(content, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
    }),
    promisify(gzip)(content, { level: 9 })
  ])
  writeFileSync(`${file}.br`, br)
  writeFileSync(`${file}.gz`, gz)
}

function filesOf (folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}
