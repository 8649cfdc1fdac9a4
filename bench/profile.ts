// node --import tsx bench/profile.ts <folder or file> …: where the time of `--profile` runs went. One block a thread: self time by
// package or file, then by function, as shares of the time that the thread was not idle.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

interface CpuProfile {
  nodes: Array<{ id: number, callFrame: { functionName: string, url: string, lineNumber: number } }>
  samples: number[]
  timeDeltas: number[]
}

const shown = 30

const files = process.argv.slice(2).flatMap(path => statSync(path).isDirectory()
  ? readdirSync(path).filter(name => name.endsWith('.cpuprofile')).map(name => join(path, name))
  : [path])
for (const file of files) print(file, JSON.parse(readFileSync(file, 'utf8')) as CpuProfile)

function print (file: string, { nodes, samples, timeDeltas }: CpuProfile): void {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const byPlace = new Map<string, number>()
  const byFunction = new Map<string, number>()
  let busy = 0
  samples.forEach((id, index) => {
    const { functionName, url, lineNumber } = frames.get(id)!
    if (functionName === '(idle)') return
    const micros = timeDeltas[index]!
    const place = placeOf(functionName, url)
    busy += micros
    byPlace.set(place, (byPlace.get(place) ?? 0) + micros)
    const name = `${functionName === '' ? '(anonymous)' : functionName}  ${place}${url === '' ? '' : `  ${url.split('/').at(-1)!}:${lineNumber + 1}`}`
    byFunction.set(name, (byFunction.get(name) ?? 0) + micros)
  })
  console.log(`${file}: busy ${(busy / 1e6).toFixed(2)} s`)
  for (const shares of [byPlace, byFunction]) {
    for (const [name, micros] of [...shares].sort((a, b) => b[1] - a[1]).slice(0, shown)) console.log(`${(micros / busy * 100).toFixed(1).padStart(6)} %  ${name}`)
    console.log()
  }
}

function placeOf (functionName: string, url: string): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native'
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(url)
  if (dependency !== null) return dependency[1]!
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/')
  return url.replace(/^.*?\/(?=dist\/|packages\/|src\/)/, '')
}
