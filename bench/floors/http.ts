// Floor: plain Fastify that parses the same JSON bodies and serialises answers of the same shape and size. Its answers
// are taken from the product over IPC ({ answers: { name: body } }) and served at POST and GET /<name>.
import Fastify from 'fastify'

const app = Fastify()
const answers = new Map<string, unknown>()

app.route<{ Params: { name: string } }>({
  method: ['GET', 'POST'],
  url: '/:name',
  handler: async request => answers.get(request.params.name) ?? { success: true }
})
process.on('message', ({ answers: given }: { answers: Record<string, unknown> }) => {
  for (const [name, body] of Object.entries(given)) answers.set(name, body)
  process.send?.({ taken: true })
})
process.once('SIGTERM', () => process.exit(0))
process.send?.({ url: await app.listen({ host: '127.0.0.1', port: 0 }) })
