// `npm run conformance -- <url>`: attacks a running deployment over the wire and prints a verdict for each promise.
import { controlBy } from './deployment.ts'
import { OptionsError, readOptions, usage } from './options.ts'
import { textOf } from './report.ts'
import { runConformance } from './run.ts'

const options = readOrExit()
console.log(`attacking ${options.urls.join(', ')} for ${options.minutes} minutes, seed ${options.seed}`)
try {
  const reports = await runConformance({
    urls: options.urls,
    control: controlBy(options),
    durationMs: options.minutes * 60_000,
    seed: options.seed,
    tokens: options.tokens,
    common: options.common,
    say: line => { console.log(line) }
  })
  console.log(`\n${textOf(reports)}`)
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
