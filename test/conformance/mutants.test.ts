import t from 'tap'
import { lookForPlanted } from './look.ts'

t.test('every planted bug is found: tokens, typing, presence, messages, blocks', async t => {
  await lookForPlanted(t, 'people')
})
