// Compiles what has changed (the first start takes a few seconds, later ones less than one), then becomes the server:
// one process, so that signals reach it. The script `start` says `exec` to the shell for the same reason: npm passes a
// signal on to its child alone, and a shell between them would die of it and leave the server behind. (Windows' shell has
// no `exec`, says so, and takes what follows.)
import { spawn, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

let tsc
try {
  tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
} catch {
  // Installed without development dependencies: the image or the operator has run `npm run build` before.
}
if (tsc) {
  if (!existsSync('dist/server.js')) console.error('Compiling, at the first start only …')
  const web = run('scripts/build-web.mjs')
  const { status } = spawnSync(process.execPath, [tsc, '-b', 'tsconfig.build.json'], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
  if (await web !== 0) process.exit(1)
} else if (!existsSync('dist/server.js')) {
  console.error('Nothing is built: run "npm run build" where the development dependencies are installed')
  process.exit(1)
}
await import('../dist/server.js')

/** Runs a script beside this process; its exit code. */
function run (script) {
  return new Promise(resolve => spawn(process.execPath, [script], { stdio: 'inherit' }).once('close', resolve))
}
