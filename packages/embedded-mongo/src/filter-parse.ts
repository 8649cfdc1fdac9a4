/** Query documents to filter trees: everything is checked here, so that matching cannot fail. */
import { RANK, compareValues, rankOf } from './compare.ts'
import { badValue, failedToParse, mongoError, notImplemented, typeMismatch } from './errors.ts'
import type { Comparison, Filter, PathFilter, RegexMatch } from './filter.ts'
import { pathParts } from './paths.ts'
import { printField, printValue } from './print.ts'
import { compileRegex } from './regex.ts'
import { BsonUndefined, Regex, TYPE, isNumeric, isTruthy, toInteger, toNumber, typeName, type Doc, type TypeName, type Value } from './values.ts'

const UNSUPPORTED = new Set([
  '$expr', '$where', '$text', '$jsonSchema', '$sampleRate', '$bitsAllSet', '$bitsAllClear', '$bitsAnySet', '$bitsAnyClear', '$geoWithin',
  '$geoIntersects', '$near', '$nearSphere', '$within', '$geoNear', '$maxDistance', '$minDistance', '$_internalSchemaMinItems'
])

/** Parses a query document. */
export function parseFilter (doc: Doc): Filter {
  const filters: Filter[] = []
  for (const [name, value] of doc) {
    if (name.startsWith('$')) {
      const filter = parseTopLevel(name, value)
      if (filter !== undefined) filters.push(filter)
    } else {
      filters.push(parsePredicate(name, value))
    }
  }
  return all(filters)
}

function all (filters: Filter[]): Filter {
  if (filters.length === 0) return { op: 'always' }
  if (filters.length === 1) return filters[0] as Filter
  // Kept flat, so that the conditions of a conjunction are its children.
  return { op: 'and', filters: filters.some(filter => filter.op === 'and') ? filters.flatMap(filter => filter.op === 'and' ? filter.filters : [filter]) : filters }
}

function parseTopLevel (name: string, value: Value): Filter | undefined {
  switch (name) {
    case '$and': case '$or': case '$nor': return parseLogical(name, value)
    case '$comment': return undefined
    case '$alwaysTrue': return { op: 'always' }
    case '$alwaysFalse': return { op: 'never' }
    default:
      if (UNSUPPORTED.has(name)) throw notImplemented(`${name} is not supported in this context`)
      throw badValue(`unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`)
  }
}

function parseLogical (name: '$and' | '$or' | '$nor', value: Value): Filter {
  if (!Array.isArray(value)) throw badValue(`${name} must be an array`)
  if (value.length === 0) throw badValue('$and/$or/$nor must be a nonempty array')
  const filters = value.map(item => {
    if (!(item instanceof Map)) throw badValue('$or/$and/$nor entries need to be full objects')
    return parseFilter(item)
  })
  if (name === '$nor') return { op: 'nor', filters }
  if (name === '$and') return all(filters)
  return filters.length === 1 ? filters[0] as Filter : { op: 'or', filters }
}

/** The condition of one field: a value to equal, an expression, or a document of operators. */
export function parsePredicate (path: string, value: Value): Filter {
  if (value instanceof Regex) return regexMatch(path, value)
  return isOperatorDoc(value) ? parseOperators(path, value) : comparison('eq', path, value)
}

/** Whether a value is a document whose first field is an operator (and not a database reference). */
export function isOperatorDoc (value: Value): value is Doc {
  if (!(value instanceof Map)) return false
  const first = value.keys().next().value
  return first !== undefined && first.startsWith('$') && !(value.has('$ref') && value.has('$id'))
}

function parseOperators (path: string, operators: Doc): Filter {
  const filters: Filter[] = []
  for (const [name, operand] of operators) {
    // $options belongs to $regex, wherever it stands.
    if (name === '$options') {
      if (!operators.has('$regex')) throw badValue('$options needs a $regex')
    } else {
      filters.push(parseOperator(path, name, operand, operators))
    }
  }
  return all(filters)
}

function parseOperator (path: string, name: string, operand: Value, operators: Doc): Filter {
  switch (name) {
    case '$eq': return comparison('eq', path, operand)
    case '$lt': return ordering('lt', path, operand)
    case '$lte': return ordering('lte', path, operand)
    case '$gt': return ordering('gt', path, operand)
    case '$gte': return ordering('gte', path, operand)
    case '$ne':
      if (operand instanceof Regex) throw badValue('Can\'t have regex as arg to $ne.')
      return { op: 'not', filter: comparison('eq', path, operand) }
    case '$in': return membership('$in', path, operand)
    case '$nin': return { op: 'not', filter: membership('$nin', path, operand) }
    case '$not': return { op: 'not', filter: negated(path, operand) }
    case '$exists': {
      const filter: Filter = { op: 'exists', ...leaf(path) }
      return isTruthy(operand) ? filter : { op: 'not', filter }
    }
    case '$type': return { op: 'type', ...leaf(path), types: parseTypes(operand) }
    case '$regex': return parseRegex(path, operand, operators.get('$options'))
    case '$size': return { op: 'size', ...leaf(path), size: parseSize(operand) }
    case '$all': return parseAll(path, operand)
    case '$elemMatch': return parseElemMatch(path, operand)
    case '$mod': return parseMod(path, operand)
    default:
      if (UNSUPPORTED.has(name)) throw notImplemented(`${name} is not supported`)
      throw badValue(`unknown operator: ${name}`)
  }
}

function leaf (path: string) {
  return { path, parts: pathParts(path) }
}

function comparison (op: Comparison['op'], path: string, value: Value): Comparison {
  if (value instanceof BsonUndefined) throw badValue('cannot compare to undefined')
  return { op, ...leaf(path), value, rank: rankOf(value) }
}

function ordering (op: Comparison['op'], path: string, value: Value): Comparison {
  if (value instanceof Regex) throw badValue(`Can't have RegEx as arg to predicate over field '${path}'.`)
  return comparison(op, path, value)
}

function membership (name: '$in' | '$nin', path: string, operand: Value): Filter {
  if (!Array.isArray(operand)) throw badValue(`${name} needs an array`)
  const values: Value[] = []
  const regexes: RegexMatch[] = []
  for (const item of operand) {
    if (item instanceof BsonUndefined) throw badValue('cannot compare to undefined')
    if (isOperatorDoc(item)) throw badValue(`cannot nest $ under ${name}`)
    if (item instanceof Regex) regexes.push(regexMatch(path, item))
    else values.push(item)
  }
  values.sort(compareValues)
  const distinct = values.filter((item, i) => i === 0 || compareValues(values[i - 1], item) !== 0)
  return { op: 'in', ...leaf(path), values: distinct, regexes, hasNull: distinct.some(item => rankOf(item) === RANK.null) }
}

function negated (path: string, operand: Value): Filter {
  if (operand instanceof Regex) return regexMatch(path, operand)
  if (!(operand instanceof Map)) throw badValue('$not needs a regex or a document')
  if (operand.size === 0) throw badValue('$not cannot be empty')
  return parseOperators(path, operand)
}

function regexMatch (path: string, source: Regex): RegexMatch {
  return { op: 'regex', ...leaf(path), source, compiled: compileRegex(source) }
}

function parseRegex (path: string, operand: Value, options: Value | undefined): RegexMatch {
  if (!(operand instanceof Regex) && typeof operand !== 'string') throw badValue('$regex has to be a string')
  if (options !== undefined && typeof options !== 'string') throw badValue('$options has to be a string')
  if (typeof operand === 'string') return regexMatch(path, new Regex(operand, options ?? ''))
  if (options !== undefined && options !== '' && operand.flags !== '') throw mongoError(51075, 'options set in both $regex and $options')
  return regexMatch(path, new Regex(operand.pattern, options === undefined || options === '' ? operand.flags : options))
}

function parseTypes (operand: Value): Set<number> {
  const types = new Set<number>()
  for (const item of Array.isArray(operand) ? operand : [operand]) {
    if (item === 'number') {
      for (const type of [TYPE.double, TYPE.int, TYPE.long, TYPE.decimal]) types.add(type)
    } else if (typeof item === 'string') {
      const type = Object.hasOwn(TYPE, item) ? TYPE[item as TypeName] : undefined
      if (type === undefined) throw badValue(`Unknown type name alias: ${item}`)
      types.add(type)
    } else if (isNumeric(item)) {
      const code = toInteger(item)
      const type = code === -1 ? TYPE.minKey : code
      if (type === undefined || code === 255 || !(Object.values(TYPE) as number[]).includes(type)) throw badValue(`Invalid numerical type code: ${printValue(item)}`)
      types.add(type)
    } else {
      throw typeMismatch('type must be represented as a number or a string')
    }
  }
  if (types.size === 0) throw failedToParse('$type must match at least one type')
  return types
}

function parseSize (operand: Value): number {
  const printed = printField('$size', operand)
  if (!isNumeric(operand)) throw badValue(`Failed to parse $size. Expected a number in: ${printed}`)
  const size = toInteger(operand)
  if (size === undefined) throw badValue(`Failed to parse $size. Expected an integer: ${printed}`)
  if (size < 0) throw badValue(`Failed to parse $size. Expected a non-negative number in: ${printed}`)
  return size
}

function parseAll (path: string, operand: Value): Filter {
  if (!Array.isArray(operand)) throw badValue('$all needs an array')
  if (operand.length === 0) return { op: 'never' }
  const first = operand[0]
  if (first instanceof Map && first.keys().next().value === '$elemMatch') {
    return all(operand.map(item => {
      if (!(item instanceof Map) || item.keys().next().value !== '$elemMatch') throw badValue('$all/$elemMatch has to be consistent')
      if (item.size !== 1) throw badValue('$all/$elemMatch has to be consistent')
      return parseElemMatch(path, item.get('$elemMatch') as Value)
    }))
  }
  return all(operand.map(item => {
    if (item instanceof Regex) return regexMatch(path, item)
    if (isOperatorDoc(item)) throw badValue('no $ expressions in $all')
    return comparison('eq', path, item)
  }))
}

function parseElemMatch (path: string, operand: Value): PathFilter {
  if (!(operand instanceof Map)) throw badValue('$elemMatch needs an Object')
  const first = operand.keys().next().value
  const isValue = isOperatorDoc(operand) && first !== '$and' && first !== '$or' && first !== '$nor' && first !== '$where' && first !== '$expr'
  if (!isValue) return { op: 'elemMatchDoc', ...leaf(path), filter: parseFilter(operand) }
  const filter = parseOperators('', operand)
  return { op: 'elemMatchValue', ...leaf(path), filters: filter.op === 'and' ? filter.filters : [filter] }
}

function parseMod (path: string, operand: Value): PathFilter {
  if (!Array.isArray(operand)) throw badValue('malformed mod, needs to be an array')
  if (operand.length < 2) throw badValue('malformed mod, not enough elements')
  if (operand.length > 2) throw badValue('malformed mod, too many elements')
  const [divisor, remainder] = operand.map(item => Math.trunc(toNumber(item)))
  if (!isNumeric(operand[0])) throw badValue('malformed mod, divisor not a number')
  if (!isNumeric(operand[1])) throw badValue('malformed mod, remainder not a number')
  if (!Number.isSafeInteger(divisor)) throw badValue(`malformed mod, divisor value is invalid :: caused by :: ${typeName(operand[0])}`)
  if (!Number.isSafeInteger(remainder)) throw badValue(`malformed mod, remainder value is invalid :: caused by :: ${typeName(operand[1])}`)
  if (divisor === 0) throw badValue('divisor cannot be 0')
  return { op: 'mod', ...leaf(path), divisor: divisor as number, remainder: remainder as number }
}
