/**
 * Answers one request: finds the command, enters its session or transaction, waits for the disk, turns errors into
 * replies.
 */
import { commands } from '../commands/index.ts'
import { Call } from '../commands/command.ts'
import type { Command, Reply } from '../commands/command.ts'
import type { Engine } from '../engine/engine.ts'
import { mongoError } from '../values/errors.ts'
import type { MongoError } from '../values/errors.ts'
import { asMongoError } from '../engine/to-mongo-error.ts'
import { docOf, int32, isNumeric, toNumber } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import type { Request } from '../wire/messages.ts'

/** Arguments that every command accepts. Those that change an answer are handled below. */
const GENERIC_FIELDS = new Set([
  '$db', 'lsid', 'txnNumber', 'autocommit', 'startTransaction', 'readConcern', 'writeConcern',
  '$readPreference', '$clusterTime', 'maxTimeMS', 'comment', 'apiVersion', 'apiStrict', 'apiDeprecationErrors'
])

export async function dispatch (engine: Engine, request: Request, connectionId: number): Promise<Reply> {
  let call: Call | undefined
  try {
    const [name] = request.body.keys()
    if (name === undefined) throw mongoError('FailedToParse', 'an empty document is not a command')
    const command = commands.get(name)
    if (command === undefined) throw mongoError('CommandNotFound', `no such command: '${name}'`)
    call = new Call(engine, request, name, connectionId)
    check(call, command)
    return await run(call, command)
  } catch (error) {
    // A transaction ends with its first error: a half-done statement must never be committed.
    call?.transaction?.abort()
    return errorReply(asMongoError(error))
  }
}

async function run (call: Call, command: Command): Promise<Reply> {
  enterSession(call, command)
  const majority = isMajorityRead(call)
  const { store } = call.engine
  const lossBefore = store.loss
  const running = command.run(call)
  const reply = running instanceof Promise ? await running : running
  if ((command.writes === true && call.transaction === undefined) || majority) {
    await store.durable()
    // Of a long write, the beginning may have been lost and the end be on disk.
    const { loss } = store
    if (loss !== undefined && loss !== lossBefore) throw loss
  }
  return reply instanceof Map ? finish(call, command, reply) : reply
}

function finish (call: Call, command: Command, reply: Doc): Doc {
  if (command.writes === true && call.transaction === undefined) addWriteConcernError(call, reply)
  if (!reply.has('ok')) reply.set('ok', 1)
  return reply
}

function check (call: Call, command: Command): void {
  for (const field of call.body.keys()) {
    if (field !== call.name && !GENERIC_FIELDS.has(field) && !command.fields.includes(field)) {
      throw mongoError(40415, `BSON field '${call.name}.${field}' is an unknown field.`)
    }
  }
  if (command.adminOnly === true && call.database !== 'admin') {
    throw mongoError('Unauthorized', `${call.name} may only be run against the admin database.`)
  }
  const concern = call.doc('writeConcern')?.get('w')
  if (typeof concern === 'string' && concern !== 'majority') {
    const message = `No write concern mode named '${concern}' found in replica set configuration`
    throw mongoError('UnknownReplWriteConcern', message)
  }
}

function enterSession (call: Call, command: Command): void {
  const lsid = call.body.get('lsid')
  const number = call.body.get('txnNumber')
  const autocommit = call.body.get('autocommit')
  if (lsid === undefined) {
    if (number === undefined) return
    throw mongoError('InvalidOptions', 'Transaction number requires a session ID to also be specified')
  }
  const { engine, nowMs } = call
  call.session = engine.sessions.get(lsid, nowMs)
  if (number === undefined) return
  if (typeof number !== 'bigint') {
    throw mongoError('TypeMismatch', "BSON field 'txnNumber' is the wrong type, expected type 'long'")
  }
  if (autocommit === undefined) {
    if (command.retryable !== true) {
      throw mongoError(50768,
        'txnNumber may only be provided for multi-document transactions and retryable write commands. ' +
        `autocommit:false was not provided, and ${call.name} is not a retryable write command.`)
    }
    call.session.enterRetryableWrite(number)
    call.retryNumber = number
    return
  }
  if (autocommit !== false) throw mongoError('InvalidOptions', 'Specifying autocommit=true is not allowed.')
  enterTransaction(call, command, number)
}

function enterTransaction (call: Call, command: Command, number: bigint): void {
  const session = call.session!
  if (command.transactional !== true) {
    throw mongoError('OperationNotSupportedInTransaction', `Cannot run '${call.name}' in a multi-document transaction.`)
  }
  if (call.name === 'commitTransaction' || call.name === 'abortTransaction') return
  if (call.body.has('writeConcern')) {
    throw mongoError('InvalidOptions', 'writeConcern is not allowed within a multi-statement transaction')
  }
  call.transaction = call.boolean('startTransaction', false)
    ? session.startTransaction(number, call.nowMs)
    : session.continueTransaction(number)
  session.connections.add(call.connectionId)
}

/** Must the reply wait until what it shows is on disk? */
function isMajorityRead (call: Call): boolean {
  const level = call.doc('readConcern')?.get('level')
  if (level === undefined || level === 'local' || level === 'available') return false
  if (level === 'majority' || level === 'linearizable') return call.transaction === undefined
  if (level === 'snapshot' && call.transaction !== undefined) return false
  throw mongoError('InvalidOptions', `readConcern level '${String(level)}' is not supported here`)
}

/** This replica set has one member. It answers a `w` above 1 as a set with too few members does. */
function addWriteConcernError (call: Call, reply: Doc): void {
  const w = call.doc('writeConcern')?.get('w')
  if (!isNumeric(w) || toNumber(w) <= 1) return
  reply.set('writeConcernError', docOf({
    code: int32(100), codeName: 'UnsatisfiableWriteConcern', errmsg: 'Not enough data-bearing nodes'
  }))
}

export function errorReply (error: MongoError): Doc {
  const reply: Doc = docOf({ ok: 0, errmsg: error.message, code: int32(error.code), codeName: error.codeName })
  for (const [name, value] of error.extra) reply.set(name, value)
  if (error.labels.length > 0) reply.set('errorLabels', error.labels.slice() as Value[])
  return reply
}
