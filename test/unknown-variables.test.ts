import t from 'tap'
import { configSchema } from '../src/config.ts'
import { unknownVariables } from '../src/unknown-variables.ts'

const namesIn = (...names: string[]) => unknownVariables(Object.fromEntries(names.map(name => [name, 'x']))).map(({ name }) => name)

t.test('an unknown variable that resembles one of ours is named, with the probable spelling', async t => {
  t.match(unknownVariables({ MONGODB_URI: 'x' }), [{ name: 'MONGODB_URI', advice: 'did you mean MONGODB_URL?' }])
  t.match(unknownVariables({ JWT_SERCET: 'x' }), [{ name: 'JWT_SERCET', advice: 'did you mean JWT_SECRET?' }])
  t.match(unknownVariables({ CORS_ORIGINS: 'x' }), [{ advice: 'did you mean CORS_ORIGIN?' }])
  t.match(unknownVariables({ trust_proxy: 'x' }), [{ advice: 'did you mean TRUST_PROXY?' }])
  t.match(unknownVariables({ REDIS_URI: 'x' }), [{ advice: 'did you mean REDIS_URL?' }])
  t.same(namesIn('RATE_LIMIT_EVERYTHING', 'TIDELOG_LEVEL', 'JWT_ISSUER'), ['JWT_ISSUER', 'RATE_LIMIT_EVERYTHING', 'TIDELOG_LEVEL'])
})

t.test('known variables and those of other programs are not', async t => {
  t.same(namesIn(...Object.keys(configSchema.properties)), [])
  t.same(namesIn('PATH', 'HOME', 'HOSTNAME', 'USER', 'SHELL', 'LANG', 'POST', 'NODE_OPTIONS', 'NODE_PATH', 'LOGNAME', 'PORTS', 'npm_config_cache'), [])
  t.same(namesIn('TIDELOG_SERVICE_HOST', 'TIDELOG_PORT', 'MONGODB_PORT_27017_TCP_ADDR'), [], 'Kubernetes sets these')
})
