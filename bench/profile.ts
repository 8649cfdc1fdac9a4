// node --import tsx bench/profile.ts <folder or file> …: where the time of `--profile` runs went. Prints for each thread
// the self time of packages and files, the self time of functions, and the time of functions with everything that they
// call, as shares of the time in which the thread was not idle.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

interface Frame {
  functionName: string
  url: string
  lineNumber: number
}

interface CpuProfile {
  nodes: Array<{ id: number, callFrame: Frame, children?: number[] }>
  samples: number[]
  timeDeltas: number[]
}

const shown = 30

const files = process.argv.slice(2).flatMap(path => statSync(path).isDirectory()
  ? readdirSync(path).filter(name => name.endsWith('.cpuprofile')).map(name => join(path, name))
  : [path])
for (const file of files) print(file, JSON.parse(readFileSync(file, 'utf8')) as CpuProfile)

function print (file: string, profile: CpuProfile): void {
  const micros = selfTimes(profile)
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map(child => [child, id])))
  const byPlace = new Map<string, number>()
  const byFunction = new Map<string, number>()
  const withCalls = new Map<string, number>()
  let busy = 0
  for (const [id, spent] of micros) {
    const frame = frames.get(id)!
    if (frame.functionName === '(idle)') continue
    busy += spent
    add(byPlace, placeOf(frame), spent)
    add(byFunction, nameOf(frame), spent)
    const stack = new Set<string>() // A function that calls itself counts once.
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) stack.add(nameOf(frames.get(at)!))
    for (const name of stack) add(withCalls, name, spent)
  }
  console.log(`${file}: busy ${(busy / 1e6).toFixed(2)} s`)
  for (const [title, shares] of [['by place', byPlace], ['by function', byFunction], ['with all that they call', withCalls]] as const) {
    console.log(`\n${title}`)
    for (const [name, spent] of [...shares].sort((a, b) => b[1] - a[1]).slice(0, shares === withCalls ? shown * 3 : shown)) {
      console.log(`${(spent / busy * 100).toFixed(1).padStart(6)} %  ${name}`)
    }
  }
  console.log()
}

function selfTimes ({ samples, timeDeltas }: CpuProfile): Map<number, number> {
  const micros = new Map<number, number>()
  samples.forEach((id, index) => { add(micros, id, timeDeltas[index]!) })
  return micros
}

function add<K> (sums: Map<K, number>, key: K, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value)
}

function nameOf (frame: Frame): string {
  const { functionName, url, lineNumber } = frame
  return `${functionName === '' ? '(anonymous)' : functionName}  ${placeOf(frame)}${url === '' ? '' : `  ${url.split('/').at(-1)!}:${lineNumber + 1}`}`
}

function placeOf ({ functionName, url }: Frame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native'
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(url)
  if (dependency !== null) return dependency[1]!
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/')
  return url.replace(/^.*?\/(?=dist\/|packages\/|src\/)/, '')
}
