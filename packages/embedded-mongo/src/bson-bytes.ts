/** BSON bytes to typed values and back. */
export { decode, decodeAt, documentLength, DEPTH_MAX } from './bson-decode.ts'
export { encode } from './bson-encode.ts'
