/** What a command is given and what it declares about itself. */
import { mongoError } from '../values/errors.ts'
import type { Engine } from '../engine/engine.ts'
import type { Session } from '../engine/sessions.ts'
import type { LockHolder, Writer } from '../store/writer.ts'
import type { Transaction } from '../store/transaction.ts'
import type { View } from '../store/view.ts'
import { turn } from '../values/slices.ts'
import type { Progress } from '../values/slices.ts'
import { isDoc, isNumeric, isTruthy, toInteger, toNumber, typeName } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import type { Request } from '../wire/messages.ts'

export type Reply = Doc | Buffer

export type Command = {
  /** The arguments it knows beyond those every command has; any other is refused. */
  readonly fields: readonly string[]
  /** Whether it may be part of a transaction. */
  readonly transactional?: boolean
  /** Whether it changes data: its acknowledgement waits for the disk. */
  readonly writes?: boolean
  /** Whether a txnNumber outside a transaction makes it a retryable write. */
  readonly retryable?: boolean
  /** Only on the database `admin`. */
  readonly adminOnly?: boolean
  readonly run: (call: Call) => Reply | Promise<Reply>
}

/** One call of a command. */
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
    this.database = database
    const maxTimeMs = this.integer('maxTimeMS', 0)
    this.deadlineMs = maxTimeMs > 0 ? Date.now() + maxTimeMs : Infinity
  }

  /** What the command reads: the newest state, or its transaction's. */
  get view (): View {
    return this.writer.view
  }

  get writer (): Writer {
    return this.transaction ?? this.engine.store
  }

  get nowMs (): number {
    return Date.now()
  }

  /** The name of the collection the command is about, from its first field. */
  collectionName (field = this.name): string {
    const name = this.body.get(field)
    if (typeof name !== 'string') throw mongoError('InvalidNamespace', `collection name has invalid type ${typeName(name)}`)
    if (name === '' || name.includes('\0') || name.startsWith('.') || name.endsWith('.')) {
      throw mongoError('InvalidNamespace', `Invalid namespace specified '${this.database}.${name}'`)
    }
    return name
  }

  /** The namespace that collection would have. */
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
    if (value === undefined) throw mongoError(40414, `BSON field '${this.name}.${field}' is missing but a required field`)
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
    if (value === undefined) throw mongoError(40414, `BSON field '${this.name}.${field}' is missing but a required field`)
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
    if (!(integer >= 0)) throw mongoError('BadValue', `BSON field '${field}' value must be >= 0, actual value '${toNumber(value)}'`)
    return integer
  }

  /** Does long work a slice at a time; the commands of others run in between. */
  inTurns (slice: () => Progress): Progress | Promise<Progress> {
    const progress = slice()
    return progress === 'paused' ? this.#goOn(slice) : progress
  }

  async #goOn (slice: () => Progress): Promise<Progress> {
    for (;;) {
      await this.turn()
      const progress = slice()
      if (progress !== 'paused') return progress
    }
  }

  /** Lets others go first; throws when there is no time or no transaction any more. */
  async turn (): Promise<void> {
    await turn()
    if (this.engine.closing) throw mongoError('InterruptedAtShutdown', 'the engine is closing')
    if (Date.now() > this.deadlineMs) throw mongoError('MaxTimeMSExpired', 'operation exceeded time limit')
    if (this.transaction !== undefined && this.transaction.state !== 'open') {
      throw mongoError('NoSuchTransaction', `the transaction was ${this.transaction.state} while ${this.name} was at work`, ['TransientTransactionError'])
    }
  }

  /** Waits until a transaction that is in the way has ended. */
  async untilEnded (transaction: LockHolder): Promise<void> {
    const leftMs = this.deadlineMs - Date.now()
    if (leftMs === Infinity) return await transaction.ended
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => { reject(mongoError('MaxTimeMSExpired', 'operation exceeded time limit')) }, Math.max(leftMs, 0))
    })
    try {
      await Promise.race([transaction.ended, late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Refuses an argument that is known but asks for something this engine does not do. */
  refuse (field: string, why: string): void {
    const value = this.body.get(field)
    if (value === undefined || value === null || value === false || (isDoc(value) && value.size === 0)) return
    throw mongoError('NotImplemented', `${this.name}: ${field} is not supported: ${why}`)
  }

  #wrongType (field: string, value: Value, wanted: string) {
    return mongoError('TypeMismatch', `BSON field '${this.name}.${field}' is the wrong type '${typeName(value)}', expected type '${wanted}'`)
  }
}
