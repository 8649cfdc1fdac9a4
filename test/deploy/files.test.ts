import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { configSchema, readConfig } from '../../src/config.ts'
import { root } from '../helpers/process.ts'

const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')
const variables = Object.keys(configSchema.properties)
const { DRAIN_DELAY, DRAIN_SECONDS } = readConfig({})
/** Seconds that a server needs to end. */
const endSeconds = DRAIN_DELAY + DRAIN_SECONDS + 15

interface Service {
  image?: string
  build?: string
  environment?: Record<string, string>
  depends_on?: Record<string, object>
  volumes?: string[]
  stop_grace_period?: string
}

t.test('compose.yaml depends on existing services, sets existing variables, and leaves time to drain', async t => {
  const { services, volumes } = parse(read('compose.yaml')) as { services: Record<string, Service>, volumes: object }
  const names = Object.keys(services)
  for (const [name, service] of Object.entries(services)) {
    const { image, build, environment = {}, depends_on: needs = {}, volumes: mounted = [] } = service
    t.ok(image !== undefined || build !== undefined, `${name} has an image`)
    for (const variable of Object.keys(environment)) t.ok(variables.includes(variable), `${name}: ${variable}`)
    for (const need of Object.keys(needs)) t.ok(names.includes(need), `${name} depends on ${need}`)
    for (const volume of mounted.map(text => text.split(':')[0]!)) {
      if (volume.startsWith('./')) t.ok(read(volume).length > 0, volume)
      else t.ok(volume in volumes, volume)
    }
  }
  const apps = names.filter(name => services[name]!.build !== undefined)
  for (const name of apps) {
    t.ok(parseInt(services[name]!.stop_grace_period!) >= endSeconds, `${name} has the time to drain`)
  }
  const places = apps.map(name => services[name]!.volumes?.find(volume => volume.endsWith(':/data')))
  t.ok(places[0] !== undefined && new Set(places).size === 1, 'all have the same files')
  const nginx = read('deploy', 'nginx.conf')
  const [, bodyMax] = /client_max_body_size (\d+)m;/.exec(nginx) ?? []
  t.ok(Number(bodyMax) * 2 ** 20 >= readConfig({}).FILE_BYTES_MAX, 'nginx lets the largest file through')
  const upstreams = [...nginx.matchAll(/server (\w+):5000/g)].map(([, name]) => name!)
  t.same([...new Set(upstreams)], apps, 'nginx passes to exactly these')
  for (const { environment: { REDIS_URL, MONGODB_URL } = {} } of apps.map(name => services[name]!)) {
    t.ok(names.includes(new URL(REDIS_URL!).hostname) && names.includes(new URL(MONGODB_URL!).hostname))
    t.doesNotThrow(() => readConfig({ REDIS_URL: REDIS_URL!, MONGODB_URL: MONGODB_URL! }))
  }
})

interface Manifest {
  kind: string
  metadata: { name: string }
  spec: {
    selector: Record<string, unknown> & { matchLabels?: object }
    strategy?: { rollingUpdate: { maxUnavailable: number } }
    template?: {
      metadata: { labels: object }
      spec: { terminationGracePeriodSeconds?: number, containers: Container[] }
    }
    ports?: Array<{ port: number, targetPort: number }>
  }
}
interface Container {
  env?: Array<{ name: string, value: string }>
  ports: Array<{ containerPort: number }>
  readinessProbe?: { httpGet: { path: string } }
  livenessProbe?: { httpGet: { path: string } }
}

t.test('deploy/kubernetes.yaml has matching labels and ports, existing variables, and time to drain', async t => {
  const documents = parseAllDocuments(read('deploy', 'kubernetes.yaml'))
  for (const { errors } of documents) t.same(errors, [])
  const all = documents.map(document => document.toJS() as Manifest)
  const deployments = all.filter(({ kind }) => kind === 'Deployment')
  const services = all.filter(({ kind }) => kind === 'Service')
  for (const { spec: { selector, template } } of deployments) t.same(selector.matchLabels, template!.metadata.labels)
  for (const { metadata: { name }, spec: { selector, ports } } of services) {
    const isMeant = ({ spec: { template } }: Manifest) =>
      JSON.stringify(template!.metadata.labels) === JSON.stringify(selector)
    const { containers } = deployments.find(isMeant)!.spec.template!.spec
    const open = containers.flatMap(({ ports }) => ports.map(({ containerPort }) => containerPort))
    for (const { targetPort } of ports!) t.ok(open.includes(targetPort), `${name} passes to a port that is open`)
  }
  const { template, strategy } = deployments.find(({ metadata: { name } }) => name === 'tidelog')!.spec
  t.equal(strategy!.rollingUpdate.maxUnavailable, 0)
  t.ok(template!.spec.terminationGracePeriodSeconds! >= endSeconds)
  const [{ env = [], readinessProbe, livenessProbe }] = template!.spec.containers as [Container]
  for (const { name } of env) t.ok(variables.includes(name), name)
  t.ok(env.some(({ name }) => name === 'S3_URL'), 'no file is on the disk of one server')
  const redis = env.find(({ name }) => name === 'REDIS_URL')!.value
  t.ok(services.some(({ metadata: { name } }) => name === new URL(redis).hostname), 'REDIS_URL names a service')
  t.same([readinessProbe!.httpGet.path, livenessProbe!.httpGet.path], ['/health/ready', '/health/live'])
})
