// `npm run conformance -- <url>`: attacks a running deployment over the wire and prints a verdict for each promise.
import { controlBy } from './deployment.ts'
import { OptionsError, readOptions, usage } from './options.ts'
import { runNodes } from './nodes/run.ts'
import { textOf } from './report.ts'
import { runConformance } from './run.ts'

const options = readOrExit()
const target = options.nodes > 0 ? `${options.nodes} nodes under each fault` : options.urls.join(', ')
console.log(`attacking ${target} for ${options.minutes} minutes, seed ${options.seed}`)
try {
  const say = (line: string) => { console.log(line) }
  const given = { durationMs: options.minutes * 60_000, seed: options.seed, say }
  const { nodes, urls, tokens, common } = options
  const reports = nodes > 0
    ? await runNodes({ ...given, nodes })
    : await runConformance({ ...given, urls, control: controlBy(options), tokens, common })
  if (nodes === 0) console.log(`\n${textOf(reports)}`)
  process.exit(reports.some(({ verdict }) => verdict === 'broken') ? 1 : 0)
} catch (error) {
  console.error(`The run could not be finished: ${(error as Error).message}`)
  process.exit(2)
}

function readOrExit () {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error
    console.error(`${error.message}\n\n${usage}`)
    process.exit(2)
  }
}
