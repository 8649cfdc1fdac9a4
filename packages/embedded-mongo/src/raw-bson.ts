/** Finds elements in BSON bytes without decoding them. The bytes have been decoded once before, so they are sound. */
import { TYPE } from './values.ts'
import { invalidBson } from './errors.ts'

/** The documents of the array field `name`, as slices of `bytes`; undefined when there is no such array. */
export function rawArray (bytes: Buffer, name: string): Buffer[] | undefined {
  let at = 4
  while (bytes[at] !== 0) {
    const type = bytes[at]!
    const nameEnd = bytes.indexOf(0, at + 1)
    const start = nameEnd + 1
    if (type === TYPE.array && nameEnd - at - 1 === name.length && bytes.latin1Slice(at + 1, nameEnd) === name) {
      return arrayItems(bytes, start)
    }
    at = valueEnd(bytes, type, start)
  }
  return undefined
}

function arrayItems (bytes: Buffer, start: number): Buffer[] {
  const items: Buffer[] = []
  let at = start + 4
  while (bytes[at] !== 0) {
    if (bytes[at] !== TYPE.object) throw invalidBson('an array of documents holds something else')
    while (bytes[++at] !== 0);
    const from = ++at
    at += bytes.readInt32LE(from)
    items.push(bytes.subarray(from, at))
  }
  return items
}

/** Where the value of `type` that begins at `start` ends. */
export function valueEnd (bytes: Buffer, type: number, start: number): number {
  switch (type) {
    case TYPE.double: case TYPE.date: case TYPE.timestamp: case TYPE.long: return start + 8
    case TYPE.string: case TYPE.javascript: case TYPE.symbol: return start + 4 + bytes.readInt32LE(start)
    case TYPE.object: case TYPE.array: case TYPE.javascriptWithScope: return start + bytes.readInt32LE(start)
    case TYPE.binData: return start + 5 + bytes.readInt32LE(start)
    case TYPE.objectId: return start + 12
    case TYPE.bool: return start + 1
    case TYPE.undefined: case TYPE.null: case TYPE.minKey: case TYPE.maxKey: return start
    case TYPE.regex: return bytes.indexOf(0, bytes.indexOf(0, start) + 1) + 1
    case TYPE.dbPointer: return start + 4 + bytes.readInt32LE(start) + 12
    case TYPE.int: return start + 4
    case TYPE.decimal: return start + 16
    default: throw invalidBson(`Unrecognized BSON type ${type}`)
  }
}
