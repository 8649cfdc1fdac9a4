import type { Filter } from '../../test/helpers/tcp-proxy.ts'

/** Milliseconds after which a word that was held back follows in any case. */
const heldMs = 30

/**
 * Replies of a Redis, of which pub/sub messages come twice, or after the next one, or both. Everything else passes in
 * its order.
 * @param isOn asked for each message
 */
export function unruly (isOn: () => boolean): Filter {
  let rest = Buffer.alloc(0)
  let held: Buffer | undefined
  let count = 0
  return (chunk, write) => {
    rest = Buffer.concat([rest, chunk])
    for (let end = endOf(rest, 0); end !== undefined; end = endOf(rest, 0)) {
      const reply = rest.subarray(0, end)
      rest = rest.subarray(end)
      const isWord = /^[*>]3\r\n\$7\r\nmessage\r\n/.test(reply.toString('latin1', 0, 24))
      if (!isWord || !isOn()) {
        write(reply)
        continue
      }
      const times = ++count % 2 === 0 ? 2 : 1
      const copies = Buffer.concat(Array.from({ length: times }, () => reply))
      if (held === undefined && count % 3 === 0) {
        held = copies
        setTimeout(() => {
          if (held === copies) write(copies)
          if (held === copies) held = undefined
        }, heldMs)
        continue
      }
      write(copies)
      if (held !== undefined) write(held)
      held = undefined
    }
  }
}

/** Where the reply that begins here ends. Undefined: not all of it has come. */
function endOf (bytes: Buffer, start: number): number | undefined {
  const line = bytes.indexOf('\r\n', start)
  if (line < 0) return undefined
  const type = String.fromCharCode(bytes[start]!)
  const size = Number(bytes.toString('latin1', start + 1, line))
  const next = line + 2
  if ('$=!'.includes(type)) return size < 0 ? next : next + size + 2 <= bytes.length ? next + size + 2 : undefined
  if (!'*>~%'.includes(type)) return next
  let end: number | undefined = next
  for (let left = type === '%' ? size * 2 : size; left > 0 && end !== undefined; left--) end = endOf(bytes, end)
  return end
}
