/** A command's declaration (`Command`), and its arguments and surroundings for one call (`Call`). */
import { mongoError } from '../values/errors.ts'
import type { Engine } from '../engine/engine.ts'
import type { Session } from '../engine/sessions.ts'
import type { LockHolder, Writer } from '../store/writer.ts'
import type { Transaction } from '../store/transaction.ts'
import type { View } from '../store/view.ts'
import { yieldNow } from '../values/slices.ts'
import type { Progress } from '../values/slices.ts'
import { isDoc, isNumeric, isTruthy, toInteger, toNumber, typeName } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import type { Request } from '../wire/messages.ts'

export type Reply = Doc | Buffer

export type Command = {
  /** Its arguments, except those that every command has; any other is refused. */
  readonly fields: readonly string[]
  /** May it be part of a transaction? */
  readonly transactional?: boolean
  /** Does it change data? Then its reply waits for the disk. */
  readonly writes?: boolean
  /** Does a `txnNumber` outside of a transaction make it a retryable write? */
  readonly retryable?: boolean
  /** May it run only on the database `admin`? */
  readonly adminOnly?: boolean
  readonly run: (call: Call) => Reply | Promise<Reply>
}

export function isCollectionName (name: string): boolean {
  return name !== '' && !name.includes('\0') && !name.startsWith('.') && !name.endsWith('.')
}

export class Call {
  readonly engine: Engine
  readonly request: Request
  readonly name: string
  readonly connectionId: number
  readonly body: Doc
  readonly database: string
  session: Session | undefined
  transaction: Transaction | undefined
  /** The transaction number of a retryable write. */
  retryNumber: bigint | undefined
  readonly deadlineMs: number

  constructor (engine: Engine, request: Request, name: string, connectionId: number) {
    this.engine = engine
    this.request = request
    this.name = name
    this.connectionId = connectionId
    this.body = request.body
    const database = this.body.get('$db')
    if (typeof database !== 'string') throw mongoError(40571, 'OP_MSG requests require a $db argument')
    // It would run together with the collection's name.
    if (database.includes('.')) throw mongoError('InvalidNamespace', `Invalid database name: '${database}'`)
    this.database = database
    const maxTimeMs = this.integer('maxTimeMS', 0)
    this.deadlineMs = maxTimeMs > 0 ? Date.now() + maxTimeMs : Infinity
  }

  /** What the command reads: its transaction's state, or the newest one. */
  get view (): View {
    return this.writer.view
  }

  get writer (): Writer {
    return this.transaction ?? this.engine.store
  }

  get nowMs (): number {
    return Date.now()
  }

  /** The name of the command's collection, from its first field. */
  collectionName (): string {
    const name = this.body.get(this.name)
    if (typeof name !== 'string') {
      throw mongoError('InvalidNamespace', `collection name has invalid type ${typeName(name)}`)
    }
    if (!isCollectionName(name)) {
      throw mongoError('InvalidNamespace', `Invalid namespace specified '${this.database}.${name}'`)
    }
    return name
  }

  /** The namespace of the command's collection, which need not exist. */
  namespace (): string {
    return `${this.database}.${this.collectionName()}`
  }

  doc (field: string): Doc | undefined {
    const value = this.body.get(field)
    if (value === undefined || value === null) return undefined
    if (!isDoc(value)) throw this.#wrongType(field, value, 'object')
    return value
  }

  array (field: string): Value[] {
    const value = this.body.get(field)
    if (value === undefined || value === null) throw this.#missing(field)
    if (!Array.isArray(value)) throw this.#wrongType(field, value, 'array')
    return value
  }

  docs (field: string): Doc[] {
    return this.array(field).map((value, i) => {
      if (!isDoc(value)) throw this.#wrongType(`${field}.${i}`, value, 'object')
      return value
    })
  }

  string (field: string): string {
    const value = this.body.get(field)
    if (value === undefined) throw this.#missing(field)
    if (typeof value !== 'string') throw this.#wrongType(field, value, 'string')
    return value
  }

  boolean (field: string, fallback: boolean): boolean {
    const value = this.body.get(field)
    if (value === undefined || value === null) return fallback
    if (typeof value !== 'boolean' && !isNumeric(value)) throw this.#wrongType(field, value, 'bool')
    return isTruthy(value)
  }

  /** A non-negative integer of any numeric type. */
  integer (field: string, fallback: number): number {
    const value = this.body.get(field)
    if (value === undefined || value === null) return fallback
    if (!isNumeric(value)) throw this.#wrongType(field, value, 'long')
    const integer = toInteger(value) ?? (Number.isFinite(toNumber(value)) ? Math.trunc(toNumber(value)) : NaN)
    if (!(integer >= 0)) {
      throw mongoError('BadValue', `BSON field '${field}' value must be >= 0, actual value '${toNumber(value)}'`)
    }
    return integer
  }

  /** Does long work a slice at a time. Other commands run in between. */
  inSlices (slice: () => Progress): Progress | Promise<Progress> {
    const progress = slice()
    return progress === 'paused' ? this.#continue(slice) : progress
  }

  async #continue (slice: () => Progress): Promise<Progress> {
    for (;;) {
      await this.yieldNow()
      const progress = slice()
      if (progress !== 'paused') return progress
    }
  }

  /** Lets other commands run. @throws MongoError if the time is over, the transaction has ended or the engine closes */
  async yieldNow (): Promise<void> {
    await yieldNow()
    if (this.engine.closing) throw mongoError('InterruptedAtShutdown', 'the engine is closing')
    if (Date.now() > this.deadlineMs) throw mongoError('MaxTimeMSExpired', 'operation exceeded time limit')
    if (this.transaction !== undefined && this.transaction.state !== 'open') {
      const message = `the transaction was ${this.transaction.state} while ${this.name} was running`
      throw mongoError('NoSuchTransaction', message, ['TransientTransactionError'])
    }
  }

  /** Waits until a transaction that holds a lock has ended. */
  async untilEnded (transaction: LockHolder): Promise<void> {
    const leftMs = this.deadlineMs - Date.now()
    if (leftMs === Infinity) return await transaction.ended
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(mongoError('MaxTimeMSExpired', 'operation exceeded time limit'))
      }, Math.max(leftMs, 0))
    })
    try {
      await Promise.race([transaction.ended, late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Refuses an argument of MongoDB's that asks for something this engine does not do. */
  refuse (field: string, why: string): void {
    const value = this.body.get(field)
    if (value === undefined || value === null || value === false || (isDoc(value) && value.size === 0)) return
    throw mongoError('NotImplemented', `${this.name}: ${field} is not supported: ${why}`)
  }

  #missing (field: string) {
    return mongoError(40414, `BSON field '${this.name}.${field}' is missing but a required field`)
  }

  #wrongType (field: string, value: Value, expected: string) {
    const name = `${this.name}.${field}`
    return mongoError('TypeMismatch',
      `BSON field '${name}' is the wrong type '${typeName(value)}', expected type '${expected}'`)
  }
}
