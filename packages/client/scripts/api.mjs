import { writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const entries = ['index', 'storage/indexeddb', 'network/socket', 'pure/search', 'pure/index']
export const report = join(root, 'api-report.txt')

/** The declarations of everything that an import of this package can reach, without comments. */
export function publicApi () {
  const declarations = emitted()
  const reached = new Set()
  const reach = path => {
    if (reached.has(path) || !declarations.has(path)) return
    reached.add(path)
    const imports = declarations.get(path).matchAll(/(?:from|import\() ?['"](\.[^'"]+)\.ts['"]/g)
    for (const [, name] of imports) reach(resolve(dirname(path), name))
  }
  for (const entry of entries) reach(join(root, 'src', entry))
  return [...reached].sort()
    .map(path => `// ${relative(join(root, 'src'), path)}\n${declarations.get(path).trim()}\n`)
    .join('\n')
}

/** By the path of the source, without its ending. */
function emitted () {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram(entries.map(entry => join(root, 'src', `${entry}.ts`)), {
    ...options,
    composite: false,
    incremental: false,
    tsBuildInfoFile: undefined,
    emitDeclarationOnly: true,
    removeComments: true,
    noCheck: true
  })
  const declarations = new Map()
  program.emit(undefined, (path, text) => {
    if (!path.endsWith('.d.ts')) return
    const name = relative(join(root, 'dist'), path).slice(0, -'.d.ts'.length)
    declarations.set(join(root, 'src', name), text)
  })
  return declarations
}

if (process.argv[2] === '--write') writeFileSync(report, publicApi())
