/** Whole numbers in bytes, 7 bits in each, the small ones first: those below 128 take one byte. */

/** Bytes of a number up to 2 ** 53. */
const numberBytesMax = 8

export class ByteWriter {
  private bytes = Buffer.allocUnsafe(4_096)
  length = 0

  number (value: number): void {
    this.reserve(numberBytesMax)
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.bytes[this.length++] = rest % 0x80 + 0x80
    this.bytes[this.length++] = rest
  }

  /** Writes the length of a text before it. Danger: it must have less than 128 bytes. */
  shortText (text: string): void {
    this.reserve(128)
    const bytes = this.bytes.write(text, this.length + 1)
    this.bytes[this.length] = bytes
    this.length += 1 + bytes
  }

  append ({ bytes, length }: ByteWriter): void {
    this.reserve(length)
    bytes.copy(this.bytes, this.length, 0, length)
    this.length += length
  }

  /** A copy of what was written; the next number is the first one again. */
  take (): Buffer {
    const taken = Buffer.from(this.bytes.subarray(0, this.length))
    this.length = 0
    return taken
  }

  private reserve (bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return
    const larger = Buffer.allocUnsafe((this.length + bytes) * 2)
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }
}

export class ByteReader {
  private readonly bytes: Buffer
  at = 0

  constructor (bytes: Buffer) {
    this.bytes = bytes
  }

  get isAtEnd (): boolean {
    return this.at >= this.bytes.length
  }

  number (): number {
    let byte = this.bytes[this.at++]!
    let value = byte & 0x7f
    for (let unit = 0x80; byte >= 0x80; unit *= 0x80) {
      byte = this.bytes[this.at++]!
      value += (byte & 0x7f) * unit
    }
    return value
  }

  shortText (): string {
    const bytes = this.bytes[this.at]!
    const text = this.bytes.toString('utf8', this.at + 1, this.at + 1 + bytes)
    this.at += 1 + bytes
    return text
  }

  /** Goes past a short text. Is it this one, or does it begin with it? */
  passesText (wanted: Buffer, begins: boolean): boolean {
    const bytes = this.bytes[this.at]!
    const start = this.at + 1
    this.at = start + bytes
    if (begins ? bytes < wanted.length : bytes !== wanted.length) return false
    for (let index = 0; index < wanted.length; index++) if (this.bytes[start + index] !== wanted[index]) return false
    return true
  }
}
