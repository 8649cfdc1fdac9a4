import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const path = name => fileURLToPath(new URL(`../${name}`, import.meta.url))

// One file for pages without a build step: everything of the client.
await build({
  stdin: {
    contents: ['index', 'storage/indexeddb', 'network/socket'].map(entry => `export * from './src/${entry}.ts'`).join('\n'), resolveDir: path('.'), loader: 'ts'
  },
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  outfile: path('dist/tidelog.js'),
  conditions: ['@tidelog/source', 'browser']
})
