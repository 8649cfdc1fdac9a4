/**
 * Faults on demand, for tests of what clients do about them: MongoDB's `configureFailPoint` with its `failCommand`, and
 * with `onPrimaryTransactionalWrite`, which loses the answer of a retryable write or the write itself. Only an engine
 * with `testCommands` has them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { commands } from './commands/index.ts'
import type { Call, Command } from './command.ts'
import { errorReply } from './dispatch.ts'
import type { Dispatch } from './dispatch.ts'
import { errorLabels } from './error-labels.ts'
import { badValue, mongoError, typeMismatch } from './errors.ts'
import { docOf, isDoc, isNumeric, toNumber } from './values.ts'
import type { Doc, Value } from './values.ts'
import type { Request } from './wire.ts'

/** It lets `skips` occasions pass, strikes at the next `times`, and is off then. */
type FailPoint = { data: Doc, skips: number, times: number, struck: number }

const FIELDS = {
  failCommand: ['failCommands', 'appName', 'closeConnection', 'blockConnection', 'blockTimeMS', 'errorCode', 'errorLabels', 'writeConcernError'],
  onPrimaryTransactionalWrite: ['closeConnection', 'failBeforeCommitExceptionCode']
}
type Name = keyof typeof FIELDS

export class FailPoints {
  readonly #points: Record<Name, FailPoint> = { failCommand: off(), onPrimaryTransactionalWrite: off() }
  /** Requests that are done, and whose connection ends then without an answer. */
  readonly #unanswered = new WeakSet<Request>()

  readonly commands: ReadonlyMap<string, Command> = new Map([
    ['configureFailPoint', { fields: ['mode', 'data'], adminOnly: true, run: (call: Call) => this.#configure(call) }]
  ])

  #configure (call: Call): Doc {
    const name = call.string(call.name)
    if (!Object.hasOwn(FIELDS, name)) throw mongoError('FailPointSetFailed', `${name} not found`)
    const data = call.doc('data') ?? new Map<string, Value>()
    for (const field of data.keys()) if (!FIELDS[name as Name].includes(field)) throw mongoError('NotImplemented', `${name}: ${field} is not supported`)
    const point = this.#points[name as Name]
    Object.assign(point, readMode(call.body.get('mode')), { data })
    return docOf({ count: BigInt(point.struck) })
  }

  /** The data of a fail point that is on, if it is meant and strikes now. */
  #strikes (name: Name, isMeant: (data: Doc) => boolean): Doc | undefined {
    const point = this.#points[name]
    if (point.times === 0 || !isMeant(point.data) || point.skips-- > 0) return undefined
    point.times--
    point.struck++
    return point.data
  }

  /** What answers the requests of one connection in place of `dispatch`. */
  connection (dispatch: Dispatch): Dispatch {
    let appName: Value | undefined
    return async (engine, request, connectionId) => {
      const { body } = request
      const [name = ''] = body.keys()
      appName ??= at(body, 'client', 'application', 'name')
      const isMeant = (data: Doc) => commands.has(name) && isNamed(data.get('failCommands'), name) && (data.get('appName') ?? appName) === appName
      const fault = this.#strikes('failCommand', data => isMeant(data) && (data.get('closeConnection') === true || data.get('blockConnection') === true || isNumeric(data.get('errorCode'))))
      if (fault?.get('blockConnection') === true) await sleep(toNumber(fault.get('blockTimeMS')))
      if (fault?.get('closeConnection') === true) return undefined
      const code = fault?.get('errorCode')
      if (isNumeric(code)) return withLabels(fault!, errorReply(mongoError(toNumber(code), "Failing command via 'failCommand' failpoint")), body)

      const reply = await dispatch(engine, request, connectionId)
      if (this.#unanswered.has(request)) return undefined
      const hasConcern = commands.get(name)?.writes === true || name === 'abortTransaction'
      const late = hasConcern && reply instanceof Map ? this.#strikes('failCommand', data => isMeant(data) && data.has('writeConcernError')) : undefined
      return late === undefined ? reply : withLabels(late, new Map(reply as Doc).set('writeConcernError', late.get('writeConcernError')!), body)
    }
  }

  /** What a statement of a retryable write does. */
  statement (request: Request, write: () => Doc): () => Doc {
    return () => {
      const fault = this.#strikes('onPrimaryTransactionalWrite', () => true)
      if (fault !== undefined && fault.get('closeConnection') !== false) this.#unanswered.add(request)
      const code = fault?.get('failBeforeCommitExceptionCode')
      if (isNumeric(code)) throw mongoError(toNumber(code), 'Failing write due to failpoint. The write must not be reflected.')
      return write()
    }
  }
}

function off () {
  return { data: new Map<string, Value>(), skips: 0, times: 0, struck: 0 }
}

function readMode (mode: Value | undefined): { skips: number, times: number } {
  if (mode === undefined) throw mongoError('IllegalOperation', "When setting a failpoint, you must supply a 'mode'")
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
