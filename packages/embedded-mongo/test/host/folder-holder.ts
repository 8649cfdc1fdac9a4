// A process that runs an engine on a folder, tells its pid and where it listens, or why not, and goes on until it is killed.
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'

try {
  const { uri } = await startEmbeddedMongo({ dataDir: process.argv[2]! })
  console.log(JSON.stringify({ pid: process.pid, uri }))
  setInterval(() => {}, 2 ** 30)
} catch (error) {
  console.log(JSON.stringify({ pid: process.pid, refused: (error as Error).message }))
  process.exit()
}
