import { BSON } from 'mongodb'
import { nodeIdBytes } from '../lib/node-id.ts'

/** The form of a word. Nodes of another version drop it, and read what they missed from the database. */
const version = 1
const headBytes = 1 + nodeIdBytes + 4 + 1

/** What a node says to others. */
export interface Word {
  type: string
  payload: BSON.Document
}

/** The bytes of a word: version, node, the node's count of words, type, payload in BSON. */
export function encodeWord (node: Buffer, count: number, { type, payload }: Word): Buffer {
  const body = BSON.serialize(payload)
  const word = Buffer.allocUnsafe(headBytes + type.length + body.length)
  word[0] = version
  node.copy(word, 1)
  word.writeUInt32BE(count >>> 0, 1 + nodeIdBytes)
  word[headBytes - 1] = type.length
  word.write(type, headBytes, 'latin1')
  word.set(body, headBytes + type.length)
  return word
}

/** Names a word: its node and count. Undefined: these are not a word of this version. */
export function nameOfWord (word: Buffer): string | undefined {
  return word.length > headBytes && word[0] === version ? word.toString('latin1', 1, headBytes - 1) : undefined
}

export function isFrom (node: Buffer, word: Buffer): boolean {
  return word.subarray(1, 1 + nodeIdBytes).equals(node)
}

/** @throws Error if the bytes are not what `encodeWord` makes */
export function decodeWord (word: Buffer): Word {
  const end = headBytes + word[headBytes - 1]!
  return { type: word.toString('latin1', headBytes, end), payload: BSON.deserialize(word.subarray(end)) }
}
