import { CODES, mongoError } from './errors.ts'
import { printField } from './print.ts'
import { isNumeric, toInteger, type Value } from './values.ts'

/** A non-negative integer of any numeric type. @param complaint begins the error text for anything else */
export function parseCount (complaint: string, name: string, operand: Value, code: number = CODES.BadValue): number {
  const count = toInteger(operand)
  const invalid = (expected: string) =>
    mongoError(code, `${complaint} Expected ${expected}: ${printField(name, operand)}`)
  if (!isNumeric(operand)) throw invalid('a number in')
  if (count === undefined) throw invalid('an integer')
  if (count < 0) throw invalid('a non-negative number in')
  return count
}
