#!/usr/bin/env node
// Runs the command from what was built; in the repository, where npm links this file before anything is built, builds it first.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const command = new URL('../dist/cli.js', import.meta.url)
if (!existsSync(command)) build()
await import(command.href)

function build () {
  let tsc
  try {
    tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
  } catch {
    console.error('embedded-mongo: nothing is built: run "npm run build" where the development dependencies are installed')
    process.exit(1)
  }
  const { status } = spawnSync(process.execPath, [tsc, '-b', fileURLToPath(new URL('..', import.meta.url))], { stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(status ?? 1)
}
