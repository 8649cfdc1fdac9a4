/**
 * Finds elements in BSON bytes without decoding them. The bytes must have been decoded before, which has checked them.
 */
import { onDemand } from 'bson'
import { invalidBson } from '../values/errors.ts'
import { TYPE } from '../values/values.ts'

/** The documents of the array field `name`, as slices of `bytes`; undefined if there is no such array. */
export function rawArray (bytes: Buffer, name: string): Buffer[] | undefined {
  for (const [type, nameAt, nameLength, at] of onDemand.parseToElements(bytes)) {
    if (type !== TYPE.array || bytes.latin1Slice(nameAt, nameAt + nameLength) !== name) continue
    return Array.from(onDemand.parseToElements(bytes, at), ([type, , , from, length]) => {
      if (type !== TYPE.object) throw invalidBson('an item of an array of documents is not a document')
      return bytes.subarray(from, from + length)
    })
  }
  return undefined
}

/** The document in the field `name`, as a slice of `bytes`; undefined if there is no such field. */
export function rawDocument (bytes: Buffer, name: string): Buffer | undefined {
  for (const [type, nameAt, nameLength, at, length] of onDemand.parseToElements(bytes)) {
    if (type !== TYPE.object || bytes.latin1Slice(nameAt, nameAt + nameLength) !== name) continue
    return bytes.subarray(at, at + length)
  }
  return undefined
}

/** The document without the elements whose name `keeps` refuses, as a copy. */
export function selectElements (bytes: Buffer, keeps: (name: string) => boolean): Buffer {
  const kept: Buffer[] = []
  let length = 5
  for (const [, nameAt, nameLength, at, valueLength] of onDemand.parseToElements(bytes)) {
    if (!keeps(bytes.utf8Slice(nameAt, nameAt + nameLength))) continue
    // The type byte stands before the name.
    const element = bytes.subarray(nameAt - 1, at + valueLength)
    kept.push(element)
    length += element.length
  }
  const document = Buffer.allocUnsafe(length)
  let end = document.writeInt32LE(length)
  for (const element of kept) end += element.copy(document, end)
  document[end] = 0
  return document
}
