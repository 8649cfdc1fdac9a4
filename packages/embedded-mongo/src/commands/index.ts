/** All commands by name. Any other name is answered with CommandNotFound. */
import type { Command } from './command.ts'
import { aggregateCommands } from './aggregate.ts'
import { bulkWriteCommands } from './bulk-write.ts'
import { catalogCommands } from './catalog.ts'
import { diagnosticCommands } from './diagnostics.ts'
import { explainCommands } from './explain.ts'
import { findAndModifyCommands } from './find-and-modify.ts'
import { findCommands } from './find.ts'
import { handshakeCommands } from './handshake.ts'
import { transactionCommands } from './transactions.ts'
import { writeCommands } from './write.ts'

export const commands: ReadonlyMap<string, Command> = new Map(Object.entries({
  ...handshakeCommands,
  ...findCommands,
  ...writeCommands,
  ...bulkWriteCommands,
  ...findAndModifyCommands,
  ...aggregateCommands,
  ...explainCommands,
  ...catalogCommands,
  ...transactionCommands,
  ...diagnosticCommands
}))
