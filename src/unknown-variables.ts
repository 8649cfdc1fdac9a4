import { configSchema } from './config.ts'

const known = Object.keys(configSchema.properties)

/** Prefixes that only Tidelog's variables use. */
const ownPrefixes = ['RATE_LIMIT_', 'JWT_', 'TIDELOG_', 'MONGODB_', 'MONGO_', 'REDIS_']

/** Variables that Kubernetes sets in every container for a service named like that. */
const serviceVariable = /_SERVICE_(HOST|PORT)|_PORT(_\d|$)/

/** Variables that look like Tidelog's but are not. They have no effect. */
export function unknownVariables (
  environment: Record<string, string | undefined>
): Array<{ name: string, advice: string }> {
  return Object.keys(environment).filter(name => !known.includes(name)).sort().flatMap(name => {
    const meant = known.find(other => isNear(name, other))
    if (meant !== undefined) return [{ name, advice: `did you mean ${meant}?` }]
    return ownPrefixes.some(prefix => name.startsWith(prefix)) && !serviceVariable.test(name)
      ? [{ name, advice: 'there is no such variable; .env.example lists all' }]
      : []
  })
}

/** One typing error apart, or two in a long name. Short names match other programs' variables too easily. */
function isNear (name: string, other: string): boolean {
  if (other.length < 5 || Math.abs(name.length - other.length) > 2) return false
  return editDistance(name.toUpperCase(), other) <= (other.length < 10 ? 1 : 2)
}

/** The number of characters to insert, delete, replace or swap with their neighbour to turn `a` into `b`. */
function editDistance (a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const exchanged = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity
      row.push(Math.min(exchanged, swapped, rows[i - 1]![j]! + 1, row[j - 1]! + 1))
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
