/** Node's own fast conversions. They exist at run time, but its types do not have them. */
interface Buffer {
  latin1Slice (start?: number, end?: number): string
  utf8Slice (start?: number, end?: number): string
  latin1Write (text: string, offset?: number): number
}
