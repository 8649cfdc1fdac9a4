/** Decodes BSON bytes to typed values, and encodes them. */
export { decode, decodeAt, documentLength } from './decode.ts'
export { encode } from './encode.ts'
