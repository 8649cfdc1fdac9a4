import { test } from 'tap'
import { imageSize } from 'image-size'
import { people } from '../../../scripts/demo/people.ts'
import { portrait } from '../../../scripts/demo/portraits.ts'
import { talks } from '../../../scripts/demo/talk.ts'
import { view } from '../../../scripts/demo/views.ts'

test('most people of the demo have a portrait, and each is another PNG', t => {
  const portraits = Object.keys(people).flatMap(name => portrait(name) ?? [])
  t.ok(portraits.length > 20)
  t.equal(new Set(portraits.map(bytes => bytes.toString('base64'))).size, portraits.length)
  t.match(imageSize(portraits[0]!), { type: 'png', width: 192, height: 192 })
  t.end()
})

test('the demo draws every view that its talks name', t => {
  const names = talks.flatMap(({ lines, view = [] }) => [...lines.matchAll(/(?<={)\w+(?=})/g)].map(String).concat(view))
  for (const name of new Set(names)) t.match(imageSize(view(name, 32, 18)), { type: 'png', width: 32, height: 18 })
  t.throws(() => view('moon', 32, 18), { message: 'there is no view called moon' })
  t.end()
})
