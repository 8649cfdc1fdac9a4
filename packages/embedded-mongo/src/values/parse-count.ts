import { CODES, mongoError } from './errors.ts'
import { printField } from './print.ts'
import { isNumeric, toInteger, type Value } from './values.ts'

/** A whole number that is not negative, of any numeric type; anything else is an error that begins with `complaint`. */
export function parseCount (complaint: string, name: string, operand: Value, code: number = CODES.BadValue): number {
  const count = toInteger(operand)
  const invalid = (expected: string) => mongoError(code, `${complaint} Expected ${expected}: ${printField(name, operand)}`)
  if (!isNumeric(operand)) throw invalid('a number in')
  if (count === undefined) throw invalid('an integer')
  if (count < 0) throw invalid('a non-negative number in')
  return count
}
