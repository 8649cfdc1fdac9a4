import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { root } from '../helpers/process.ts'
import { request } from '../helpers/request.ts'
import { connect, connectLive } from '../helpers/sockets.ts'

const token = 'a-token-for-the-scraper'

/** The samples of a scrape: name and labels to value. */
function samplesOf (text: string): Map<string, number> {
  return new Map(text.split('\n').filter(line => line !== '' && !line.startsWith('#')).map(line => {
    const at = line.lastIndexOf(' ')
    return [line.slice(0, at), Number(line.slice(at + 1))]
  }))
}

const { url, register, call } = await startApp(t, { METRICS_TOKEN: token, RATE_LIMIT_SEARCH: '1' })

async function read (): Promise<string> {
  const headers = { authorization: `Bearer ${token}` }
  const { status, text } = await request(`${url}/metrics`, { method: 'GET', headers })
  if (status !== 200) throw new Error(`/metrics answered ${status}`)
  return text
}

async function scrape (): Promise<Map<string, number>> {
  return samplesOf(await read())
}

const first = await scrape()
const names = new Set([...first.keys()].map(key => key.replace(/\{.*/, '')))
const operations = readFileSync(join(root, 'docs/OPERATIONS.md'), 'utf8')
const alerts = readFileSync(join(root, 'docs/monitoring/alerts.yaml'), 'utf8')

/** Names of metrics in an expression. */
function namesIn (expression: string): string[] {
  return [...expression.matchAll(/\b(?:tidelog|nodejs|process)_\w+/g)].map(([name]) => name)
}

t.test('a message is counted when it is sent, committed, delivered and synced', async t => {
  const [ann, bob] = [await register('ann'), await register('bob')]
  const before = await scrape()
  const receiver = await connectLive(t, url, bob.token)
  const sender = await connect(t, url, ann.token)
  const sent = { receiverId: bob.id, content: 'one', clientMessageId: 'same' }
  const { message } = await sender.ask('sendDirectMessage', sent)
  await sender.ask('sendDirectMessage', sent)
  await receiver.wait('directMessage')
  await sender.ask('editMessage', { messageId: message._id, content: 'two' })
  await receiver.ask('sync', {})
  const after = await scrape()
  const grown = (key: string) => (after.get(key) ?? NaN) - (before.get(key) ?? NaN)
  t.equal(grown('tidelog_messages_total{conversation="direct"}'), 1)
  t.equal(grown('tidelog_messages_total{conversation="room"}'), 0)
  t.ok(grown('tidelog_changes_total') >= 1)
  t.equal(grown('tidelog_commit_units_total{outcome="duplicate"}'), 1)
  t.equal(grown('tidelog_commit_units_total{outcome="committed"}'), 2)
  t.ok(grown('tidelog_commit_batch_units_count') >= 3)
  t.ok(grown('tidelog_commit_duration_seconds_sum') > 0)
  t.ok(grown('tidelog_deliveries_total') >= 2)
  t.ok(grown('tidelog_delivery_lag_seconds_count') >= 2)
  t.equal(grown('tidelog_handshakes_total{result="admitted"}'), 2)
  t.equal(after.get('tidelog_sockets'), 2)
  t.equal(after.get('tidelog_connections{transport="websocket"}'), 2)
  t.equal(grown('tidelog_sync_responses_total'), 1)
  t.ok(grown('tidelog_sync_changes_total') >= 1)
  t.ok(grown('tidelog_sync_bytes_total') > 100)
  t.ok(grown('tidelog_sync_resets_total') >= 1)
  t.equal(after.get('tidelog_database_engine{engine="embedded"}'), 1)
  t.ok(after.get('tidelog_database_file_bytes')! > 0)
})

t.test('refusals are counted: limits by name, requests by class, sockets', async t => {
  const cat = await register('cat')
  const before = await scrape()
  for (let searches = 0; searches < 3; searches++) {
    await call('GET', '/api/messages/search?q=x', { token: cat.token })
  }
  await t.rejects(connect(t, url, 'no token'))
  const after = await scrape()
  const grown = (key: string) => (after.get(key) ?? NaN) - (before.get(key) ?? NaN)
  t.equal(grown('tidelog_rate_limited_total{limiter="search"}'), 2)
  t.equal(grown('tidelog_http_requests_total{status="4xx"}'), 2)
  t.ok(grown('tidelog_handshakes_total{result="refused"}') >= 1)
})

t.test('the buckets of a histogram are cumulative, and the last one counts everything', async t => {
  const samples = await scrape()
  const isBucket = (key: string) => key.startsWith('tidelog_commit_batch_units_bucket')
  const buckets = [...samples].flatMap(([key, value]) => isBucket(key) ? value : [])
  t.ok(buckets.length > 5)
  t.strictSame(buckets, [...buckets].sort((a, b) => a - b))
  t.equal(buckets.at(-1), samples.get('tidelog_commit_batch_units_count'))
})

t.test('names follow Prometheus, and no label is an id', async t => {
  const text = await read()
  const types = [...text.matchAll(/^# TYPE (tidelog_\w+) (\w+)$/gm)]
  t.ok(types.length > 25)
  for (const [, name, type] of types) {
    t.equal(name!.endsWith('_total'), type === 'counter', name!)
    if (type === 'histogram') t.match(name, /_(seconds|units)$/)
    t.match(text, new RegExp(`^# HELP ${name!} \\S.{10,}$`, 'm'))
  }
  t.notMatch(text, /[0-9a-f]{24}/, 'no id of a user, message or conversation')
})

t.test('OPERATIONS lists exactly the existing metrics', async t => {
  const text = await read()
  const exist = [...text.matchAll(/^# TYPE (tidelog_\w+) (\w+)$/gm)].map(([, name, type]) => `${name!} ${type!}`)
  const listed = [...operations.matchAll(/^\| `(tidelog_\w+)` \| (\w+) \|/gm)]
    .map(([, name, type]) => `${name!} ${type!}`)
  t.strictSame(listed.sort(), exist.sort())
})

t.test('the dashboard uses only existing metrics, and its panels do not overlap', async t => {
  const dashboard = JSON.parse(readFileSync(join(root, 'docs/monitoring/grafana-dashboard.json'), 'utf8')) as {
    panels: Array<{ id: number, gridPos: Record<'x' | 'y' | 'w' | 'h', number>, targets?: Array<{ expr: string }> }>
    templating: unknown
  }
  const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  t.ok(expressions.length > 30)
  for (const name of namesIn(JSON.stringify([expressions, dashboard.templating]))) t.ok(names.has(name), name)
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    return Array.from({ length: w * h }, (_, cell) => `${x + cell % w},${y + Math.floor(cell / w)}`)
  })
  t.equal(new Set(cells).size, cells.length)
  t.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
})

t.test('the alerts use only existing metrics, and OPERATIONS explains each of them', async t => {
  const form = /- alert: (\w+)\n +expr: '(.+)'\n +for: \d+m\n +labels: \{severity: \w+\}\n +annotations: /g
  const rules = [...alerts.matchAll(form)]
  t.ok(rules.length > 8)
  t.equal(rules.length, alerts.match(/alert:/g)?.length, 'all have the same form')
  for (const [, name, expression] of rules) {
    const used = namesIn(expression!)
    t.ok(used.length > 0 || expression!.startsWith('up{'), name!)
    for (const metric of used) t.ok(names.has(metric), `${name!}: ${metric}`)
  }
  const described = [...operations.matchAll(/^\| `(Tidelog\w+)` \| .{10,} \| .{20,} \|$/gm)].map(([, name]) => name)
  t.strictSame(described.sort(), rules.map(([, name]) => name).sort())
})
