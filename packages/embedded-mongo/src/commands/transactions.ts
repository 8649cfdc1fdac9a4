/** Ends transactions and sessions. */
import { mongoError } from '../values/errors.ts'
import type { Call, Command } from './command.ts'
import type { Session } from '../engine/sessions.ts'
import type { Doc } from '../values/values.ts'

function transactionOf (call: Call): { session: Session, number: bigint } {
  const number = call.body.get('txnNumber')
  if (call.session === undefined || typeof number !== 'bigint' || call.body.get('autocommit') !== false) {
    throw mongoError('InvalidOptions', `${call.name} must be run within a transaction`)
  }
  return { session: call.session, number }
}

function commit (call: Call): Doc {
  const { session, number } = transactionOf(call)
  session.commit(number)
  return new Map()
}

function abort (call: Call): Doc {
  const { session, number } = transactionOf(call)
  session.continueTransaction(number).abort()
  return new Map()
}

function endSessions (call: Call): Doc {
  for (const lsid of call.array(call.name)) call.engine.sessions.end(lsid)
  return new Map()
}

export const transactionCommands: Record<string, Command> = {
  commitTransaction: { fields: ['recoveryToken'], transactional: true, writes: true, adminOnly: true, run: commit },
  abortTransaction: { fields: ['recoveryToken'], transactional: true, adminOnly: true, run: abort },
  endSessions: { fields: [], run: endSessions }
}
