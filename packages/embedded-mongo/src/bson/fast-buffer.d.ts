/** Node's own quick conversions; they are there at run time but not in the typings. */
declare global {
  interface Buffer {
    latin1Slice (start?: number, end?: number): string
    utf8Slice (start?: number, end?: number): string
    latin1Write (text: string, offset?: number): number
  }
}

export {}
