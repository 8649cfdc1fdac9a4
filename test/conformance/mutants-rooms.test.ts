import t from 'tap'
import { lookForPlanted } from './look.ts'

t.test('every planted bug is found: rooms, views, reads, people, conversations', async t => {
  await lookForPlanted(t, 'rooms')
})
