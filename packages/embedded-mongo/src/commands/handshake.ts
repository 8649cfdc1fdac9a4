/** The commands with which drivers find out what the server is and whether it answers. */
import type { Call, Command } from './command.ts'
import { DOCUMENT_BYTES_MAX } from '../store/documents.ts'
import { SESSION_TIMEOUT_MINUTES } from '../engine/sessions.ts'
import { DateTime, docOf, int32, ObjectId } from '../values/values.ts'
import type { Doc } from '../values/values.ts'
import { MESSAGE_BYTES_MAX } from '../wire/messages.ts'

/** The version of MongoDB whose behaviour the engine follows. */
export const SERVER_VERSION = '8.0.0'
const WIRE_VERSION = 25
export const WRITE_BATCH_MAX = 100_000
const SET_NAME = 'embedded'
const electionId = new ObjectId(0x7fffffff, 0, 1)

/** Answers as a replica set of one member, because only replica sets have transactions and retryable writes. */
function hello (call: Call): Doc {
  const { address } = call.engine
  const legacy = call.name !== 'hello'
  return docOf({
    helloOk: true,
    [legacy ? 'ismaster' : 'isWritablePrimary']: true,
    setName: SET_NAME,
    setVersion: int32(1),
    secondary: false,
    primary: address,
    me: address,
    hosts: [address],
    electionId,
    maxBsonObjectSize: int32(DOCUMENT_BYTES_MAX),
    maxMessageSizeBytes: int32(MESSAGE_BYTES_MAX),
    maxWriteBatchSize: int32(WRITE_BATCH_MAX),
    localTime: DateTime.fromMs(call.nowMs),
    logicalSessionTimeoutMinutes: int32(SESSION_TIMEOUT_MINUTES),
    connectionId: int32(call.connectionId),
    minWireVersion: int32(0),
    maxWireVersion: int32(WIRE_VERSION),
    readOnly: false
  })
}

const helloCommand: Command = {
  fields: [
    'helloOk', 'client', 'compression', 'backpressure', 'saslSupportedMechs', 'speculativeAuthenticate',
    'topologyVersion', 'maxAwaitTimeMS', 'loadBalanced', 'forShell', 'hello'
  ],
  run: hello
}

const nothing: Command = { fields: [], run: () => new Map() }

function buildInfo (): Doc {
  return docOf({
    version: SERVER_VERSION,
    gitVersion: 'embedded-mongo',
    versionArray: SERVER_VERSION.split('.').map(part => int32(Number(part))).concat(int32(0)),
    bits: int32(64),
    debug: false,
    maxBsonObjectSize: int32(DOCUMENT_BYTES_MAX),
    storageEngines: ['lmdb'],
    modules: []
  })
}

export const handshakeCommands: Record<string, Command> = {
  hello: helloCommand,
  isMaster: helloCommand,
  ismaster: helloCommand,
  ping: nothing,
  buildInfo: { fields: [], run: buildInfo },
  buildinfo: { fields: [], run: buildInfo }
}
