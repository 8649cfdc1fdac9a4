/** Finds elements in BSON bytes without decoding them. The bytes have been decoded once before, so they are sound. */
import { onDemand } from 'bson'
import { invalidBson } from '../values/errors.ts'
import { TYPE } from '../values/values.ts'

/** The documents of the array field `name`, as slices of `bytes`; undefined when there is no such array. */
export function rawArray (bytes: Buffer, name: string): Buffer[] | undefined {
  for (const [type, nameAt, nameLength, at] of onDemand.parseToElements(bytes)) {
    if (type !== TYPE.array || bytes.latin1Slice(nameAt, nameAt + nameLength) !== name) continue
    return Array.from(onDemand.parseToElements(bytes, at), ([type, , , from, length]) => {
      if (type !== TYPE.object) throw invalidBson('an array of documents holds something else')
      return bytes.subarray(from, from + length)
    })
  }
  return undefined
}
