import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, extname, join, relative, sep } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { type Config, embedOrigins } from '../src/config.ts'

/** The pages of the web app. Each address serves index.html, which shows the right page. */
const pages = ['/', '/c/:id', '/new', '/rooms', '/search', '/settings', '/sign-in', '/sign-up']

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8'
}

/**
 * The page may load its own files only, and pictures by https, because profile pictures have addresses of their own.
 */
const contentSecurityPolicy = (frameAncestors: string): string => [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "font-src 'self'",
  "img-src 'self' blob: https:",
  "media-src 'self' blob:",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  `frame-ancestors ${frameAncestors}`,
  "require-trusted-types-for 'script'",
  'trusted-types tidelog'
].join('; ')

interface File {
  type: string
  etag: string
  cacheControl: string
  plain: Buffer
  br: Buffer | undefined
  gzip: Buffer | undefined
}

/** Serves the built web app at `/` from memory: some 40 files, compressed by the build. */
export default fp(
  async function webApp (app, config: Config) {
    const folder = builtApp()
    if (folder === undefined) {
      app.log.info('the web app is not built: "npm run build" makes it')
      return
    }
    const files = readFiles(folder)
    const embedding = embedOrigins(config)
    const policy = contentSecurityPolicy(embedding.length === 0 ? "'none'" : embedding.join(' '))
    const built = files.get('/index.html')
    if (built === undefined) throw new Error(`${folder} holds no index.html: build the web app again`)
    const index = config.BASE_PATH === '' ? built : underPath(built, config.BASE_PATH)
    files.set('/index.html', index)
    for (const page of pages) serve(page, index)
    for (const [path, file] of files) serve(path, file)

    function serve (path: string, file: File): void {
      app.get(path, { schema: { hide: true } }, async (request, reply) => {
        // It knows no list of origins; the policy has the last word, except with very old browsers.
        if (embedding.length > 0) void reply.removeHeader('x-frame-options')
        void reply.header('content-security-policy', policy)
        return send(request, reply, file)
      })
    }
  },
  { name: 'web-app' }
)

/** The folder of the built app, beside this program's package.json; undefined: not built. */
function builtApp (): string | undefined {
  let root = import.meta.dirname
  while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root)
  const folder = join(root, 'web/dist')
  return existsSync(join(folder, '.stamp')) ? folder : undefined
}

function readFiles (folder: string): Map<string, File> {
  const files = new Map<string, File>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = types[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const full = join(entry.parentPath, entry.name)
    const path = `/${relative(folder, full).split(sep).join('/')}`
    const plain = readFileSync(full)
    files.set(path, {
      type,
      etag: etagOf(plain),
      // A built file's name contains the hash of its content. Browsers ask for the other files each time.
      cacheControl: path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      plain,
      br: readIfThere(`${full}.br`),
      gzip: readIfThere(`${full}.gz`)
    })
  }
  return files
}

/** The page for a proxy that serves the app under a path: all its addresses are relative to its <base>. */
function underPath (index: File, path: string): File {
  const plain = Buffer.from(index.plain.toString().replace('<base href="/">', `<base href="${path}/">`))
  return { ...index, etag: etagOf(plain), plain, br: brotliCompressSync(plain), gzip: gzipSync(plain) }
}

function etagOf (content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
}

function readIfThere (path: string): Buffer | undefined {
  return existsSync(path) ? readFileSync(path) : undefined
}

function send (request: FastifyRequest, reply: FastifyReply, file: File): FastifyReply {
  void reply.headers({
    'cache-control': file.cacheControl,
    etag: file.etag,
    vary: 'accept-encoding'
  })
  if (request.headers['if-none-match']?.includes(file.etag) === true) return reply.code(304).send()
  const accepted = String(request.headers['accept-encoding'] ?? '')
  void reply.type(file.type)
  if (file.br !== undefined && /\bbr\b/.test(accepted)) return reply.header('content-encoding', 'br').send(file.br)
  if (file.gzip !== undefined && /\bgzip\b/.test(accepted)) {
    return reply.header('content-encoding', 'gzip').send(file.gzip)
  }
  return reply.send(file.plain)
}
