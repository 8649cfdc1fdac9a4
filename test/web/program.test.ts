import t from 'tap'
import { programOf } from '../../web/src/screens/program.ts'

const engine = 'AppleWebKit/537.36 (KHTML, like Gecko)'

t.test('a session is called by its browser and system, and another program by what it says', t => {
  for (const [userAgent, name] of [
    [`Mozilla/5.0 (X11; Linux x86_64) ${engine} Chrome/142.0.0.0 Safari/537.36`, 'Chrome, Linux'],
    [`Mozilla/5.0 (Windows NT 10.0) ${engine} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0`, 'Edge, Windows'],
    [`Mozilla/5.0 (Linux; Android 15; Pixel 9) ${engine} Chrome/142.0.0.0 Mobile Safari/537.36`, 'Chrome, Android'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0', 'Firefox, macOS'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 ' +
      'Mobile/15E148 Safari/604.1', 'Safari, iPhone'],
    ['Mozilla/5.0 (compatible; something)', 'Mozilla/5.0 (compatible; something)'],
    ['curl/8.9', 'curl/8.9'],
    ['', undefined]
  ] as const) t.equal(programOf(userAgent), name)
  t.end()
})
