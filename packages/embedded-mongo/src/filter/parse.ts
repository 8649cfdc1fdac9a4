/** Parses query documents into filter trees. Everything is checked here, so that matching cannot fail. */
import { badValue, failedToParse, mongoError, notImplemented, typeMismatch } from '../values/errors.ts'
import { all, either, leaf, oneOf, type Filter, type RegexMatch } from './tree.ts'
import { comparable } from '../keys/intervals.ts'
import { printValue } from '../values/print.ts'
import { parseCount } from '../values/parse-count.ts'
import { compileRegex } from './regex.ts'
import {
  BsonUndefined, Regex, TYPE, isNumeric, isTruthy, toInteger, type Doc, type TypeName, type Value
} from '../values/values.ts'

/** Operators of MongoDB that this engine does not support. */
const UNSUPPORTED = /^\$(?:expr|where|text|jsonSchema|sampleRate|mod|bits\w+|geo\w+|near\w*|within)$/

export function parseFilter (doc: Doc): Filter {
  return all([...doc].map(([name, value]) =>
    name.startsWith('$') ? parseTopLevel(name, value) : parsePredicate(name, value)))
}

function parseTopLevel (name: string, value: Value): Filter {
  switch (name) {
    case '$and': return all(parseList(name, value))
    case '$or': return either(parseList(name, value))
    case '$nor': return { op: 'not', filter: either(parseList(name, value)) }
    case '$comment': return { op: 'always' }
    default:
      if (UNSUPPORTED.test(name)) throw notImplemented(`${name} is not supported`)
      throw badValue(`unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, ` +
        'consider using $getField or $setField.')
  }
}

function parseList (name: string, value: Value): Filter[] {
  if (!Array.isArray(value)) throw badValue(`${name} must be an array`)
  if (value.length === 0) throw badValue('$and/$or/$nor must be a nonempty array')
  return value.map(item => {
    if (!(item instanceof Map)) throw badValue('$or/$and/$nor entries need to be full objects')
    return parseFilter(item)
  })
}

/** The condition on one field: a value to equal, a regular expression, or a document of operators. */
export function parsePredicate (path: string, value: Value): Filter {
  if (value instanceof Regex) return regexMatch(path, value)
  return isOperatorDoc(value) ? parseOperators(path, value) : equality(path, value)
}

/** Is the value a document whose first field is an operator, and not a database reference? */
export function isOperatorDoc (value: Value): value is Doc {
  if (!(value instanceof Map)) return false
  const first = value.keys().next().value
  return first !== undefined && first.startsWith('$') && !(value.has('$ref') && value.has('$id'))
}

function parseOperators (path: string, operators: Doc): Filter {
  return all([...operators].map(([name, operand]) => parseOperator(path, name, operand, operators)))
}

function parseOperator (path: string, name: string, operand: Value, operators: Doc): Filter {
  switch (name) {
    case '$eq': return equality(path, operand)
    case '$lt': return ordering('lt', path, operand)
    case '$lte': return ordering('lte', path, operand)
    case '$gt': return ordering('gt', path, operand)
    case '$gte': return ordering('gte', path, operand)
    case '$ne':
      if (operand instanceof Regex) throw badValue('Can\'t have regex as arg to $ne.')
      return { op: 'not', filter: equality(path, operand) }
    case '$in': return parseIn(name, path, operand)
    case '$nin': return { op: 'not', filter: parseIn(name, path, operand) }
    case '$not': return { op: 'not', filter: parseNot(path, operand) }
    case '$exists': {
      const filter: Filter = { op: 'exists', ...leaf(path) }
      return isTruthy(operand) ? filter : { op: 'not', filter }
    }
    case '$type': return { op: 'type', ...leaf(path), types: parseTypes(operand) }
    case '$regex': return parseRegex(path, operand, operators.get('$options'))
    case '$options':
      // `$regex` reads it, in whatever order the two come.
      if (!operators.has('$regex')) throw badValue('$options needs a $regex')
      return { op: 'always' }
    case '$size': return { op: 'size', ...leaf(path), size: parseCount('Failed to parse $size.', name, operand) }
    case '$all': return parseAll(path, operand)
    case '$elemMatch': return parseElemMatch(path, operand)
    default:
      if (UNSUPPORTED.test(name)) throw notImplemented(`${name} is not supported`)
      throw badValue(`unknown operator: ${name}`)
  }
}

function equality (path: string, value: Value): Filter {
  if (value instanceof BsonUndefined) throw badValue('cannot compare to undefined')
  return oneOf(path, [value])
}

function ordering (op: 'lt' | 'lte' | 'gt' | 'gte', path: string, value: Value): Filter {
  if (value instanceof Regex) throw badValue(`Can't have RegEx as arg to predicate over field '${path}'.`)
  if (value instanceof BsonUndefined) throw badValue('cannot compare to undefined')
  return { op: 'within', ...leaf(path), intervals: comparable(op, value) }
}

function parseIn (name: string, path: string, operand: Value): Filter {
  if (!Array.isArray(operand)) throw badValue(`${name} needs an array`)
  for (const item of operand) {
    if (item instanceof BsonUndefined) throw badValue('cannot compare to undefined')
    if (isOperatorDoc(item)) throw badValue(`cannot nest $ under ${name}`)
  }
  const values = oneOf(path, operand.filter(item => !(item instanceof Regex)))
  return either([values, ...operand.filter(item => item instanceof Regex).map(item => regexMatch(path, item))])
}

function parseNot (path: string, operand: Value): Filter {
  if (operand instanceof Regex) return regexMatch(path, operand)
  if (!(operand instanceof Map)) throw badValue('$not needs a regex or a document')
  if (operand.size === 0) throw badValue('$not cannot be empty')
  return parseOperators(path, operand)
}

function regexMatch (path: string, source: Regex): RegexMatch {
  return { op: 'regex', ...leaf(path), source, compiled: compileRegex(source) }
}

function parseRegex (path: string, operand: Value, options: Value = ''): RegexMatch {
  if (!(operand instanceof Regex) && typeof operand !== 'string') throw badValue('$regex has to be a string')
  if (typeof options !== 'string') throw badValue('$options has to be a string')
  if (typeof operand === 'string') return regexMatch(path, new Regex(operand, options))
  if (options !== '' && operand.flags !== '') throw mongoError(51075, 'options set in both $regex and $options')
  return regexMatch(path, new Regex(operand.pattern, options + operand.flags))
}

const TYPE_CODES: readonly number[] = Object.values(TYPE)

function parseTypes (operand: Value): Set<number> {
  const types = (Array.isArray(operand) ? operand : [operand]).flatMap(item => {
    if (item === 'number') return [TYPE.double, TYPE.int, TYPE.long, TYPE.decimal]
    if (typeof item === 'string') {
      if (!Object.hasOwn(TYPE, item)) throw badValue(`Unknown type name alias: ${item}`)
      return TYPE[item as TypeName]
    }
    if (!isNumeric(item)) throw typeMismatch('type must be represented as a number or a string')
    const code = toInteger(item)
    if (code === -1) return TYPE.minKey
    if (code === undefined || code === TYPE.minKey || !TYPE_CODES.includes(code)) {
      throw badValue(`Invalid numerical type code: ${printValue(item)}`)
    }
    return code
  })
  if (types.length === 0) throw failedToParse('$type must match at least one type')
  return new Set(types)
}

function parseAll (path: string, operand: Value): Filter {
  if (!Array.isArray(operand)) throw badValue('$all needs an array')
  if (operand.length === 0) return oneOf(path, [])
  return all(operand.map(item => {
    if (item instanceof Map && item.has('$elemMatch')) throw notImplemented('$elemMatch within $all is not supported')
    if (isOperatorDoc(item)) throw badValue('no $ expressions in $all')
    return item instanceof Regex ? regexMatch(path, item) : equality(path, item)
  }))
}

const LOGICAL = ['$and', '$or', '$nor', '$where', '$expr']

function parseElemMatch (path: string, operand: Value): Filter {
  if (!(operand instanceof Map)) throw badValue('$elemMatch needs an Object')
  if (isOperatorDoc(operand) && !LOGICAL.includes(operand.keys().next().value as string)) {
    return { op: 'elemMatchValue', ...leaf(path), filter: parseOperators('', operand) }
  }
  return { op: 'elemMatchDoc', ...leaf(path), filter: parseFilter(operand) }
}
