/** Update documents to trees of checked modifiers. */
import { badValue, failedToParse, mongoError, notImplemented, typeMismatch } from './errors.ts'
import { parseFilter, type Filter } from './filter.ts'
import { isOperatorDoc, parsePredicate } from './filter-parse.ts'
import { pathParts } from './paths.ts'
import { printDoc, printField, printValue } from './print.ts'
import { addToTree, newTree, sortTree, type FieldsNode } from './update-tree.ts'
import type { ArraySort, Modifier, PullCondition, Push } from './update-modifiers.ts'
import { Regex, isNumeric, toInteger, toNumber, typeName, type Doc, type Value } from './values.ts'

export interface Replacement { kind: 'replace', doc: Doc }
export interface Modification {
  kind: 'modify'
  root: FieldsNode
  arrayFilters: ReadonlyMap<string, Filter>
  /** The old paths of renamed fields and where they go. */
  renames: ReadonlyMap<string, string>
  /** Whether a path holds `$`, which stands for the item that the query matched. */
  positional: boolean
  paths: string[]
}
export type Update = Replacement | Modification

/** Parses an update: a replacement, or a document of operators. */
export function parseUpdate (update: Doc | readonly Doc[], arrayFilters: readonly Doc[] = []): Update {
  if (!(update instanceof Map)) throw notImplemented('updates by an aggregation pipeline are not supported')
  const first = update.keys().next().value
  if (first?.startsWith('$') !== true) {
    if (arrayFilters.length > 0) throw failedToParse('Cannot specify arrayFilters and a replacement-style update')
    for (const name of update.keys()) if (name.startsWith('$')) throw dollarPrefixed(name)
    return { kind: 'replace', doc: update }
  }
  return new Parser(arrayFilters).parse(update)
}

const dollarPrefixed = (name: string) => mongoError('DollarPrefixedFieldName',
  `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`)

class Parser {
  private readonly root = newTree()
  private readonly renames = new Map<string, string>()
  private readonly paths: string[] = []
  private readonly arrayFilters: ReadonlyMap<string, Filter>
  private readonly identifiersUsed = new Set<string>()
  private positional = false

  constructor (arrayFilters: readonly Doc[]) {
    this.arrayFilters = parseArrayFilters(arrayFilters)
  }

  parse (update: Doc): Modification {
    for (const [operator, fields] of update) {
      parseModifierName(operator)
      if (!(fields instanceof Map)) {
        throw failedToParse(`Modifiers operate on fields but we found type ${typeName(fields)} instead. For example: {$mod: {<field>: ...}} not {${printField(operator, fields)}}`)
      }
      for (const [path, operand] of fields) this.add(operator, path, operand)
    }
    for (const identifier of this.arrayFilters.keys()) {
      if (!this.identifiersUsed.has(identifier)) {
        throw failedToParse(`The array filter for identifier '${identifier}' was not used in the update ${printDoc(update)}`)
      }
    }
    sortTree(this.root)
    const { root, renames, arrayFilters, positional, paths } = this
    return { kind: 'modify', root, renames, arrayFilters, positional, paths }
  }

  private add (operator: string, path: string, operand: Value) {
    this.checkPath(path)
    if (operator === '$rename') {
      this.rename(path, operand)
    } else {
      this.put(path, parseModifier(operator, path, operand))
    }
  }

  private put (path: string, modifier: Modifier) {
    addToTree(this.root, path, modifier)
    this.paths.push(path)
  }

  private rename (from: string, operand: Value) {
    if (typeof operand !== 'string') throw badValue(`The 'to' field for $rename must be a string: ${printField(from, operand)}`)
    if (from === operand) throw badValue(`The source and target field for $rename must differ: ${printField(from, operand)}`)
    this.checkPath(operand)
    for (const [path, side] of [[from, 'source'], [operand, 'destination']] as const) {
      if (pathParts(path).some(part => part.startsWith('$'))) throw badValue(`The ${side} field for $rename may not be dynamic: ${path}`)
    }
    if (operand.startsWith(`${from}.`) || from.startsWith(`${operand}.`)) {
      throw badValue(`The source and target field for $rename must not be on the same path: ${printField(from, operand)}`)
    }
    this.put(from, { op: 'unset' })
    this.put(operand, { op: 'rename', from })
    this.renames.set(from, operand)
  }

  private checkPath (path: string) {
    if (path === '') throw mongoError('EmptyFieldName', 'An empty update path is not valid.')
    const parts = pathParts(path)
    if (parts.includes('')) throw mongoError('EmptyFieldName', `The update path '${path}' contains an empty field name, which is not allowed.`)
    parts.forEach((part, i) => {
      if (part === '$') {
        if (i === 0) throw badValue(`Cannot have positional (i.e. '$') element in the first position in path '${path}'`)
        if (parts.indexOf('$') !== i) throw badValue(`Too many positional (i.e. '$') elements found in path '${path}'`)
        this.positional = true
      } else if (part.startsWith('$[')) {
        this.checkIdentifier(part, i, path)
      } else if (part.startsWith('$') && i === 0) {
        throw dollarPrefixed(part)
      }
    })
  }

  private checkIdentifier (part: string, i: number, path: string) {
    if (i === 0) throw badValue(`Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`)
    if (!part.endsWith(']')) throw badValue(`Array filter identifier in '${path}' lacks its closing bracket`)
    const identifier = part.slice(2, -1)
    if (identifier === '') return
    if (!this.arrayFilters.has(identifier)) throw badValue(`No array filter found for identifier '${identifier}' in path '${path}'`)
    this.identifiersUsed.add(identifier)
  }
}

const unknownModifier = (operator: string) =>
  failedToParse(`Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`)

const OPERATORS = new Set(['$set', '$setOnInsert', '$unset', '$inc', '$mul', '$max', '$min', '$currentDate', '$push', '$addToSet', '$pull', '$pullAll', '$pop', '$rename'])

function parseModifierName (operator: string) {
  if (operator === '$bit') throw notImplemented('$bit is not supported')
  if (!OPERATORS.has(operator)) throw unknownModifier(operator)
}

function parseArrayFilters (docs: readonly Doc[]): Map<string, Filter> {
  const filters = new Map<string, Filter>()
  for (const doc of docs) {
    const filter = parseFilter(doc)
    const names = new Set(pathsIn(filter).map(path => pathParts(path)[0] as string))
    const [name, other] = names
    if (name === undefined) throw failedToParse('Cannot use an expression without a top-level field name in arrayFilters')
    if (other !== undefined) throw failedToParse(`Error parsing array filter :: caused by :: Expected a single top-level field name, found '${name}' and '${other}'`)
    if (!/^[a-z][A-Za-z0-9]*$/.test(name)) {
      throw badValue(`Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${name}'`)
    }
    if (filters.has(name)) throw failedToParse(`Found multiple array filters with the same top-level field name ${name}`)
    filters.set(name, filter)
  }
  return filters
}

function pathsIn (filter: Filter): string[] {
  if ('path' in filter) return [filter.path]
  if (filter.op === 'not') return pathsIn(filter.filter)
  return 'filters' in filter ? filter.filters.flatMap(pathsIn) : []
}

function parseModifier (operator: string, path: string, operand: Value): Modifier {
  switch (operator) {
    case '$set': return { op: 'set', value: operand }
    case '$setOnInsert': return { op: 'setOnInsert', value: operand }
    case '$max': return { op: 'max', value: operand }
    case '$min': return { op: 'min', value: operand }
    case '$unset': return { op: 'unset' }
    case '$inc': case '$mul': {
      if (isNumeric(operand)) return { op: operator === '$inc' ? 'inc' : 'mul', value: operand }
      throw typeMismatch(`Cannot ${operator === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${printField(path, operand)}}`)
    }
    case '$currentDate': return { op: 'currentDate', type: parseDateType(operand) }
    case '$push': return parsePush(operand)
    case '$addToSet': return { op: 'addToSet', values: parseAddToSet(operand) }
    case '$pull': return { op: 'pull', condition: parsePull(operand) }
    case '$pullAll':
      if (!Array.isArray(operand)) throw badValue(`$pullAll requires an array argument but was given a ${typeName(operand)}`)
      return { op: 'pullAll', values: operand }
    case '$pop': {
      const side = toNumber(operand)
      if (!isNumeric(operand)) throw failedToParse(`Expected a number in: ${printField(path, operand)}`)
      if (side !== 1 && side !== -1) throw failedToParse(`$pop expects 1 or -1, found: ${printValue(operand)}`)
      return { op: 'pop', first: side === -1 }
    }
    default: throw unknownModifier(operator)
  }
}

function parseDateType (operand: Value): 'date' | 'timestamp' {
  if (typeof operand === 'boolean') return 'date'
  if (!(operand instanceof Map)) {
    throw badValue(`${typeName(operand)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`)
  }
  const type = operand.get('$type')
  for (const name of operand.keys()) if (name !== '$type') throw badValue(`Unrecognized $currentDate option: ${name}`)
  if (type !== 'date' && type !== 'timestamp') throw badValue('The \'$type\' string field is required to be \'date\' or \'timestamp\': {$currentDate: {field : {$type: \'date\'}}}')
  return type
}

function parsePush (operand: Value): Push {
  if (!(operand instanceof Map) || !operand.has('$each')) return { op: 'push', values: [operand] }
  const push: Push = { op: 'push', values: [] }
  for (const [name, value] of operand) {
    switch (name) {
      case '$each':
        if (!Array.isArray(value)) throw badValue(`The argument to $each in $push must be an array but it was of type: ${typeName(value)}`)
        push.values = value
        break
      case '$slice': push.slice = clause(value, 'The value for $slice must be an integer value but was given type: '); break
      case '$position': push.position = clause(value, 'The value for $position must be an integer value, not of type: '); break
      case '$sort': push.sort = parseArraySort(value); break
      default: throw badValue(`Unrecognized clause in $push: ${name}`)
    }
  }
  return push
}

function clause (value: Value, message: string): number {
  const integer = toInteger(value)
  if (integer === undefined) throw badValue(message + typeName(value))
  return integer
}

function parseArraySort (value: Value): ArraySort {
  if (value instanceof Map) {
    if (value.size === 0) throw badValue('The $sort pattern is empty when it should be a set of fields.')
    return [...value].map(([path, direction]) => {
      if (path === '' || pathParts(path).includes('')) throw badValue(`The $sort field is a dotted field but has an empty part: ${path}`)
      return { parts: pathParts(path), direction: directionOf(direction, 'The $sort element value must be either 1 or -1') }
    })
  }
  if (!isNumeric(value)) throw badValue('The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields')
  return directionOf(value, 'The $sort element value must be either 1 or -1')
}

function directionOf (value: Value, message: string): 1 | -1 {
  const direction = toNumber(value)
  if (direction !== 1 && direction !== -1) throw badValue(message)
  return direction
}

function parseAddToSet (operand: Value): Value[] {
  if (!(operand instanceof Map) || operand.keys().next().value !== '$each') return [operand]
  const each = operand.get('$each')
  if (!Array.isArray(each)) throw typeMismatch(`The argument to $each in $addToSet must be an array but it was of type ${typeName(each)}`)
  if (operand.size > 1) throw badValue(`Found unexpected fields after $each in $addToSet: ${printDoc(operand)}`)
  return each
}

function parsePull (operand: Value): PullCondition {
  if (operand instanceof Regex || isOperatorDoc(operand)) {
    const first = operand instanceof Map ? operand.keys().next().value : undefined
    if (operand instanceof Map && (first === '$and' || first === '$or' || first === '$nor')) return { kind: 'doc', filter: parseFilter(operand) }
    return { kind: 'item', filter: parsePredicate('', operand) }
  }
  return operand instanceof Map ? { kind: 'doc', filter: parseFilter(operand) } : { kind: 'value', value: operand }
}
