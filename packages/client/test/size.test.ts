import t from 'tap'
// @ts-expect-error a script has no types
import { sizes } from '../scripts/size.mjs'

/** Kilobytes, minified and gzipped: more of them is a decision. */
const budgets = { core: 31.1, withIndexedDb: 34.2, all: 47.5 }

t.test('the client keeps to its size limits', async t => {
  const measured = await (sizes as () => Promise<Record<keyof typeof budgets, number>>)()
  for (const [name, kilobytes] of Object.entries(budgets)) {
    const bytes = measured[name as keyof typeof budgets]
    t.ok(bytes <= kilobytes * 1_000, `${name}: ${bytes} bytes, of ${kilobytes} KB`)
  }
})

t.test('the bundle contains nothing of the server and nothing of Node', async t => {
  const { build } = await import('esbuild')
  const { fileURLToPath } = await import('node:url')
  const { metafile } = await build({
    entryPoints: ['index.ts', 'storage/indexeddb.ts', 'network/socket.ts', 'pure/index.ts'].map(entry => fileURLToPath(new URL(`../src/${entry}`, import.meta.url))),
    bundle: true,
    write: false,
    outdir: 'out',
    format: 'esm',
    metafile: true,
    platform: 'browser',
    conditions: ['@tidelog/source']
  })
  const inputs = Object.keys(metafile.inputs)
  t.strictSame(inputs.filter(path => /typebox|node:|packages\/client\/\.\.|\/src\/schemas\//.test(path)), [])
})
