import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The client for a page, as `tidelog`. */
export async function bundle (): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    bundle: true,
    format: 'iife',
    write: false,
    conditions: ['@tidelog/source'],
    target: 'es2023'
  })
  return outputFiles[0]!.text
}
