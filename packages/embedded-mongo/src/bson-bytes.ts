/** BSON bytes to typed values and back. */
export { decode, decodeAt, documentLength } from './bson-decode.ts'
export { encode } from './bson-encode.ts'
