/** BSON bytes to typed values and back. */
export { decode, decodeAt, documentLength } from './decode.ts'
export { encode } from './encode.ts'
