import { type Serializer, SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import fp from 'fastify-plugin'

const compile = SerializerSelector()()
/** Schemas are constants, which all apps of a process share. */
const compiled = new WeakMap<object, Serializer>()

/**
 * Writes answers by the schemas of their routes. The first answer compiles its own: all of them together take half a
 * second, which a start need not wait for.
 */
export default fp(async function serialization (app) {
  app.setSerializerCompiler<object>(route => answer => {
    let write = compiled.get(route.schema)
    if (write === undefined) compiled.set(route.schema, write = compile({ httpStatus: '', ...route }))
    return write(answer)
  })
}, { name: 'serialization' })
