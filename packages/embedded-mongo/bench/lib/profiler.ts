/** CPU profiles of this thread and the engine's, for some work only and not for the whole process. */
import { writeFile } from 'node:fs/promises'
import { type Profiler, Session } from 'node:inspector'
import { promisify } from 'node:util'

const samplingMicros = 500

interface Side {
  post: (method: string, params?: object) => Promise<object>
  name: string
}

/** Profiles `work`, and writes `<path>.client.cpuprofile` and `<path>.engine.cpuprofile`. */
export async function profiled (path: string, work: () => Promise<void>): Promise<void> {
  const session = new Session()
  session.connect()
  const sides: Side[] = [
    { name: 'client', post: promisify(session.post.bind(session) as (method: string, params: object | undefined, done: (error: Error | null, result: object) => void) => void) },
    { name: 'engine', post: await engineOf(session) }
  ]
  for (const { post } of sides) {
    await post('Profiler.enable')
    await post('Profiler.setSamplingInterval', { interval: samplingMicros })
    await post('Profiler.start')
  }
  await work()
  for (const { post, name } of sides) {
    const { profile } = await post('Profiler.stop') as Profiler.StopReturnType
    await writeFile(`${path}.${name}.cpuprofile`, JSON.stringify(profile))
  }
  session.disconnect()
}

/** Calls the inspector of the engine's thread, which takes messages wrapped in messages of this thread's. */
async function engineOf (session: Session): Promise<Side['post']> {
  const attached = new Promise<string>(resolve => {
    session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => { if (/worker\.[jt]s$/.test(workerInfo.url)) resolve(sessionId) })
  })
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  const sessionId = await attached
  const waiting = new Map<number, (result: object) => void>()
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const { id, result = {} } = JSON.parse(params.message) as { id?: number, result?: object }
    if (id !== undefined) waiting.get(id)?.(result)
  })
  let asked = 0
  return (method, params) => new Promise(resolve => {
    waiting.set(++asked, resolve)
    session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id: asked, method, params }) })
  })
}
