import t from 'tap'
import { RegularJob } from '../../src/lib/regular-job.ts'

t.test('a job runs again and again, one run after the other, until it is closed', async t => {
  // A waiting job keeps no process alive.
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => { clearInterval(alive) })
  let runs = 0
  let running = 0
  let job!: RegularJob
  await new Promise<void>(resolve => {
    job = new RegularJob(1, async signal => {
      t.equal(++running, 1)
      if (++runs === 3) {
        resolve()
        await new Promise(resolve => { signal.addEventListener('abort', resolve, { once: true }) })
      }
      running--
    })
    job.wait()
  })
  await job.close()
  t.equal(running, 0, 'closing waits for the run that it has told to end')
  t.equal(runs, 3)
})
