import { randomBytes } from 'node:crypto'

/** Bytes of a node's id. */
export const nodeIdBytes = 8

/** A name for a server process: in its log, in what it tells other processes, and in what it leaves in a database. */
export function newNodeId (): string {
  return randomBytes(nodeIdBytes).toString('hex')
}
