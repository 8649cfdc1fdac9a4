import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/**
 * Adds the variables of a `.env` file to the environment. A variable that is already set is kept. Node's own
 * `loadEnvFile` reads the byte order mark that Windows editors write as part of the first name.
 */
export function loadDotEnv (file = '.env', environment: Record<string, string | undefined> = process.env): void {
  const bytes = readIfThere(file)
  if (bytes === undefined) return
  if (isUtf16(bytes)) throw new Error('it is written in UTF-16; save it as UTF-8')
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  for (const [name, value] of Object.entries(parseEnv(text))) environment[name] ??= value
}

function readIfThere (file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function isUtf16 (bytes: Buffer): boolean {
  return bytes.length > 1 && [0xFEFF, 0xFFFE].includes(bytes.readUInt16BE(0))
}
