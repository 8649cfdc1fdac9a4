import t from 'tap'
import { toTidelogError } from '../src/to-tidelog-error.ts'

t.test('a connection to the database that breaks while a command is written is UNAVAILABLE', t => {
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' })
  t.match(toTidelogError(broken), { code: 'UNAVAILABLE', retryAfterMs: 1_000 })
  t.match(toTidelogError(new Error('a defect')), { code: 'INTERNAL' })
  t.end()
})
