/**
 * Faults on demand, for tests of what clients do about them: a server between a client and an engine that answers
 * MongoDB's `configureFailPoint` itself, with its `failCommand`, and with `onPrimaryTransactionalWrite`, which loses the
 * answer of a retryable write or the write itself. All else it hands on as it came.
 */
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { encode } from '../../src/bson/index.ts'
import { commands } from '../../src/commands/index.ts'
import { errorReply } from '../../src/server/dispatch.ts'
import { badValue, MongoError, mongoError, typeMismatch } from '../../src/values/errors.ts'
import { docOf, isDoc, isNumeric, toNumber } from '../../src/values/values.ts'
import type { Doc, Value } from '../../src/values/values.ts'
import { MessageReader, readRequest, writeReply } from '../../src/wire/messages.ts'
import { errorLabels, NAMES } from './error-labels.ts'
import { WireClient } from './wire-client.ts'

const ILLEGAL_OPERATION = 20
const FAIL_POINT_SET_FAILED = 231

/** It lets `skips` occasions pass, strikes at the next `times`, and is off then. */
type FailPoint = { data: Doc, skips: number, times: number, struck: number }

const FIELDS = {
  failCommand: ['failCommands', 'appName', 'closeConnection', 'blockConnection', 'blockTimeMS', 'errorCode', 'errorLabels', 'writeConcernError'],
  onPrimaryTransactionalWrite: ['closeConnection', 'failBeforeCommitExceptionCode']
}
type Name = keyof typeof FIELDS

/** Whoever connects to the returned address is struck by its fail points. */
export async function withFailPoints (t: { teardown: (handler: () => void) => unknown }, engineUri: string): Promise<string> {
  const failPoints = new FailPoints()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    void serve(socket, engineUri, failPoints)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/?directConnection=true`
}

async function serve (socket: Socket, engineUri: string, failPoints: FailPoints): Promise<void> {
  const engine = await WireClient.open(engineUri)
  const reader = new MessageReader()
  const answer = failPoints.connection(async message => {
    engine.send(message)
    return await engine.reply()
  })
  try {
    for await (const chunk of socket) {
      for (const message of reader.push(chunk as Buffer)) {
        const reply = await answer(message)
        if (reply === undefined) return
        socket.write(reply)
      }
    }
  } catch {
    // The client has gone.
  } finally {
    engine.close()
    socket.destroy()
  }
}

/** The answer to one message; undefined ends its connection. */
type Answer = (message: Buffer) => Promise<Buffer | undefined>

class FailPoints {
  readonly #points: Record<Name, FailPoint> = { failCommand: off(), onPrimaryTransactionalWrite: off() }
  /** Retryable writes whose answers were lost. */
  readonly #done = new Set<string>()

  #configure (body: Doc): Doc {
    if (body.get('$db') !== 'admin') throw mongoError('Unauthorized', 'configureFailPoint may only be run against the admin database.')
    const name = String(body.get('configureFailPoint'))
    if (!Object.hasOwn(FIELDS, name)) throw mongoError(FAIL_POINT_SET_FAILED, `${name} not found`)
    const data = body.get('data') ?? new Map<string, Value>()
    if (!isDoc(data)) throw typeMismatch("'data' must be an object")
    for (const field of data.keys()) if (!FIELDS[name as Name].includes(field)) throw mongoError('NotImplemented', `${name}: ${field} is not supported`)
    const point = this.#points[name as Name]
    Object.assign(point, readMode(body.get('mode')), { data })
    return docOf({ count: BigInt(point.struck), ok: 1 })
  }

  /** The data of a fail point that is on, if it is meant and strikes now. */
  #strikes (name: Name, isMeant: (data: Doc) => boolean): Doc | undefined {
    const point = this.#points[name]
    if (point.times === 0 || !isMeant(point.data) || point.skips-- > 0) return undefined
    point.times--
    point.struck++
    return point.data
  }

  /** What answers the messages of one connection in place of the engine. */
  connection (engine: Answer): Answer {
    let appName: Value | undefined
    return async message => {
      const { body, requestId, legacy } = readRequest(message)
      const [name = ''] = body.keys()
      const send = (reply: Doc) => writeReply(requestId, legacy, reply)
      if (name === 'configureFailPoint') return send(this.#configured(body))
      appName ??= at(body, 'client', 'application', 'name')

      const isMeant = (data: Doc) => commands.has(name) && isNamed(data.get('failCommands'), name) && (data.get('appName') ?? appName) === appName
      const fault = this.#strikes('failCommand', data => isMeant(data) && (data.get('closeConnection') === true || data.get('blockConnection') === true || isNumeric(data.get('errorCode'))))
      if (fault?.get('blockConnection') === true) await sleep(toNumber(fault.get('blockTimeMS')))
      if (fault?.get('closeConnection') === true) return undefined
      const code = fault?.get('errorCode')
      if (isNumeric(code)) return send(withLabels(fault!, failure(code, "Failing command via 'failCommand' failpoint"), body))

      const lost = this.#losesWrite(name, body)
      const lostCode = lost?.get('failBeforeCommitExceptionCode')
      const reply = isNumeric(lostCode) ? send(failure(lostCode, 'Failing write due to failpoint. The write must not be reflected.')) : await engine(message)
      if (reply === undefined || (lost !== undefined && lost.get('closeConnection') !== false)) return undefined

      const hasConcern = commands.get(name)?.writes === true || name === 'abortTransaction'
      const late = hasConcern ? this.#strikes('failCommand', data => isMeant(data) && data.has('writeConcernError')) : undefined
      return late === undefined ? reply : send(withLabels(late, readRequest(reply).body.set('writeConcernError', late.get('writeConcernError')!), body))
    }
  }

  /** Strikes at each statement of a retryable write, and at none that has been done before. */
  #losesWrite (name: string, body: Doc): Doc | undefined {
    if (!body.has('txnNumber') || body.has('autocommit') || commands.get(name)?.retryable !== true) return undefined
    const write = encode(docOf({ lsid: body.get('lsid'), txnNumber: body.get('txnNumber') })).toString('latin1')
    if (this.#done.has(write)) return undefined
    const lost = this.#strikes('onPrimaryTransactionalWrite', () => true)
    if (lost === undefined || lost.has('failBeforeCommitExceptionCode')) return lost
    this.#done.add(write)
    const statements = body.get('documents') ?? body.get('updates') ?? body.get('deletes') ?? body.get('ops')
    for (let i = 1; Array.isArray(statements) && i < statements.length; i++) this.#strikes('onPrimaryTransactionalWrite', () => true)
    return lost
  }

  #configured (body: Doc): Doc {
    try {
      return this.#configure(body)
    } catch (error) {
      if (error instanceof MongoError) return errorReply(error)
      throw error
    }
  }
}

function failure (code: Value, message: string): Doc {
  const reply = errorReply(mongoError(toNumber(code), message))
  const name = NAMES.get(toNumber(code))
  return name === undefined ? reply : reply.set('codeName', name)
}

function off () {
  return { data: new Map<string, Value>(), skips: 0, times: 0, struck: 0 }
}

function readMode (mode: Value | undefined): { skips: number, times: number } {
  if (mode === undefined) throw mongoError(ILLEGAL_OPERATION, "When setting a failpoint, you must supply a 'mode'")
  if (mode === 'off') return { skips: 0, times: 0 }
  if (mode === 'alwaysOn') return { skips: 0, times: Infinity }
  if (typeof mode === 'string') throw badValue(`unknown mode: ${mode}`)
  if (!isDoc(mode)) throw typeMismatch("'mode' must be a string or JSON object")
  const [[option, count] = []] = mode
  if (option !== 'times' && option !== 'skip') throw badValue("'mode' must be one of ['times', 'skip']")
  if (!isNumeric(count) || !(toNumber(count) >= 0)) throw badValue(`'${option}' option to 'mode' must be positive`)
  return option === 'times' ? { skips: 0, times: toNumber(count) } : { skips: toNumber(count), times: Infinity }
}

/** Commands have aliases that differ in case only. */
function isNamed (names: Value | undefined, command: string): boolean {
  return Array.isArray(names) && names.some(name => typeof name === 'string' && name.toLowerCase() === command.toLowerCase())
}

/** The labels that the fail point gives, or else those that MongoDB gives such an error. */
function withLabels (fault: Doc, reply: Doc, body: Doc): Doc {
  const given = fault.get('errorLabels')
  const labels = Array.isArray(given) ? given : errorLabels(body, reply)
  reply.delete('errorLabels')
  return labels.length > 0 ? reply.set('errorLabels', labels) : reply
}

function at (doc: Doc, ...path: string[]): Value | undefined {
  return path.reduce((value: Value | undefined, name) => isDoc(value) ? value.get(name) : undefined, doc)
}
