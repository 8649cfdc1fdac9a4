import t from 'tap'
import { lookForPlanted } from './look.ts'

t.test('every planted bug is found: heads, polls, junk', async t => {
  await lookForPlanted(t, 'rest')
})
