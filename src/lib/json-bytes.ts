const hexDigits = Buffer.from('0123456789abcdef')
const quote = 0x22
const backslash = 0x5c
const zero = 0x30
const colon = 0x3a
const dayMs = 86_400_000

const capacity = 64 * 1024
const capacityKept = 1024 * 1024

/**
 * Writes JSON in UTF-8 piece by piece into a reused buffer: one response at a time, within one tick. Text that is
 * already UTF-8 is copied without making a string.
 */
export class JsonBytes {
  private out = Buffer.allocUnsafeSlow(capacity)
  private at = 0
  /** The last written day, in days since 1970, and its text followed by T. */
  private day = NaN
  private dayText = ''

  get length (): number {
    return this.at
  }

  clear (): void {
    this.at = 0
    if (this.out.length > capacityKept) this.out = Buffer.allocUnsafeSlow(capacity)
  }

  /** Discards the bytes after a length. */
  truncate (length: number): void {
    this.at = length
  }

  /** A copy of the written bytes. */
  copy (): Buffer {
    return Buffer.from(this.out.subarray(0, this.at))
  }

  toString (): string {
    return this.out.toString('utf8', 0, this.at)
  }

  /** Writes ASCII text unchanged; characters below U+0080 only. */
  ascii (text: string): void {
    const { length } = text
    this.reserve(length)
    const { out } = this
    let { at } = this
    for (let index = 0; index < length; index++) out[at++] = text.charCodeAt(index)
    this.at = at
  }

  /** Writes text unchanged. */
  text (text: string): void {
    this.reserve(text.length * 3)
    this.at += this.out.write(text, this.at)
  }

  /** Writes bytes unchanged. */
  bytes (bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.out.set(bytes, this.at)
    this.at += bytes.length
  }

  /** Writes the UTF-8 between `from` and `to` as a string. */
  string (bytes: Uint8Array, from: number, to: number): void {
    this.reserve((to - from) * 6 + 2)
    const { out } = this
    let { at } = this
    out[at++] = quote
    for (let index = from; index < to; index++) {
      const byte = bytes[index]!
      if (byte < 0x20 || byte === quote || byte === backslash) at = escape(out, at, byte)
      else out[at++] = byte
    }
    out[at++] = quote
    this.at = at
  }

  /** Writes the 12 bytes of an id as a string. */
  id (bytes: Uint8Array, from: number): void {
    this.reserve(26)
    const { out } = this
    let { at } = this
    out[at++] = quote
    for (let index = from; index < from + 12; index++) {
      const byte = bytes[index]!
      out[at++] = hexDigits[byte >> 4]!
      out[at++] = hexDigits[byte & 15]!
    }
    out[at++] = quote
    this.at = at
  }

  /** Writes a non-negative integer. */
  number (value: number): void {
    if (value >= 1e9) return this.ascii(String(value))
    this.reserve(9)
    let digits = 1
    for (let above = 10; above <= value; above *= 10) digits++
    this.digits(value, digits)
  }

  /** Writes milliseconds since 1970 as a string, in the form of `toISOString`. */
  time (ms: number): void {
    const day = Math.floor(ms / dayMs)
    if (day !== this.day) {
      this.dayText = new Date(ms).toISOString().replace(/T.*/, 'T')
      this.day = day
    }
    this.reserve(32)
    this.out[this.at++] = quote
    this.ascii(this.dayText)
    const rest = ms - day * dayMs
    this.digits(Math.floor(rest / 3_600_000), 2)
    this.out[this.at++] = colon
    this.digits(Math.floor(rest / 60_000) % 60, 2)
    this.out[this.at++] = colon
    this.digits(Math.floor(rest / 1_000) % 60, 2)
    this.out[this.at++] = 0x2e // .
    this.digits(rest % 1_000, 3)
    this.out[this.at++] = 0x5a // Z
    this.out[this.at++] = quote
  }

  private digits (value: number, count: number): void {
    let rest = value
    for (let place = this.at + count - 1; place >= this.at; place--) {
      const next = Math.floor(rest / 10)
      this.out[place] = zero + rest - next * 10
      rest = next
    }
    this.at += count
  }

  private reserve (bytes: number): void {
    if (this.at + bytes <= this.out.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.out.length * 2, this.at + bytes))
    this.out.copy(larger, 0, 0, this.at)
    this.out = larger
  }
}

/** Characters that JSON.stringify writes as a letter after the backslash; other escapes use a number. */
const escaped = new Map(Object.entries({ '\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r', '"': '"', '\\': '\\' })
  .map(([character, letter]) => [character.charCodeAt(0), letter.charCodeAt(0)]))

function escape (out: Buffer, start: number, byte: number): number {
  const letter = escaped.get(byte)
  out[start] = backslash
  if (letter !== undefined) {
    out[start + 1] = letter
    return start + 2
  }
  out[start + 1] = 0x75 // u
  out[start + 2] = zero
  out[start + 3] = zero
  out[start + 4] = hexDigits[byte >> 4]!
  out[start + 5] = hexDigits[byte & 15]!
  return start + 6
}
