/** Dotted paths, split once and remembered: the same few paths are used for every document. */

const KNOWN_MAX = 4096
const known = new Map<string, readonly string[]>()

/** The components of a dotted path. */
export function pathParts (path: string): readonly string[] {
  let parts = known.get(path)
  if (parts === undefined) {
    parts = path.split('.')
    // Paths come from clients: forget them all rather than grow without bound.
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(path, parts)
  }
  return parts
}

/** Whether a path component can name a position in an array: digits without a leading zero. */
export function isArrayIndex (part: string): boolean {
  const first = part.charCodeAt(0)
  if (!(first >= 48 && first <= 57) || (first === 48 && part.length > 1)) return false
  for (let i = 1; i < part.length; i++) {
    const char = part.charCodeAt(i)
    if (char < 48 || char > 57) return false
  }
  return true
}
