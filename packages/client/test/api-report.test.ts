import { readFileSync } from 'node:fs'
import t from 'tap'
// @ts-expect-error a script has no types
import { publicApi, report } from '../scripts/api.mjs'

t.test('the public API is the one in api-report.txt, which `npm run api -w @tidelog/client` writes', async t => {
  t.equal((publicApi as () => string)(), readFileSync(report as string, 'utf8'))
})
