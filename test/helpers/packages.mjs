// Run before all tests (`npm test`): makes one file of each package that the sources import, with what it needs itself.
// A process that starts the app reads a thousand files less. Without these files the packages are loaded as they are.
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { fileOf, packagesFolder } from './compile-hooks.mjs'

/** Those with code for a processor, and one that another thread looks for by its name. */
const asTheyAre = ['@node-rs/argon2', '@node-rs/bcrypt', '@tidelog/embedded-mongo', 'pino-pretty']
const ofTests = ['bson', 'fast-check', 'socket.io-client']
const parts = ['@sinclair/typebox/value', '@sinclair/typebox/errors']
const root = fileURLToPath(new URL('../..', import.meta.url))
const { dependencies } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
// In one build: what two of them need is one module, as it is without it.
const names = [...Object.keys(dependencies).filter(name => !asTheyAre.includes(name)), ...ofTests, ...parts]

/** A package of CommonJS has the names that Node finds in it. */
const entries = {
  name: 'entries',
  setup (build) {
    build.onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice('entry:'.length), namespace: 'entry' }))
    build.onLoad({ filter: /./, namespace: 'entry' }, async ({ path }) => {
      const exported = Object.keys(await import(path)).filter(name => !['module.exports', '__esModule'].includes(name))
      return { contents: `export { ${exported.join()} } from '${path}'`, resolveDir: root }
    })
  }
}

/** Those of which a file reads others beside it. */
const placed = /node_modules\/(@fastify\/swagger|@fastify\/swagger-ui|socket\.io)\/.*\.js$/
const places = {
  name: 'places',
  setup (build) {
    build.onLoad({ filter: placed }, ({ path }) => ({
      contents: `const __dirname = ${JSON.stringify(dirname(path))};${readFileSync(path, 'utf8')}`
    }))
  }
}

if (!existsSync(packagesFolder)) {
  const made = `${packagesFolder}.${process.pid}`
  await build({
    entryPoints: names.map(name => ({ in: `entry:${name}`, out: fileOf(name) })),
    outdir: made,
    bundle: true,
    splitting: true,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    // As Node takes them: without the condition and field that only bundlers know.
    conditions: [],
    mainFields: ['main'],
    external: ['lmdb', 'pino'],
    banner: { js: 'import { createRequire as $of } from "node:module"; const require = $of(import.meta.url);' },
    logLevel: 'error',
    plugins: [entries, places]
  })
  // Whole, or not at all.
  renameSync(made, packagesFolder)
}
