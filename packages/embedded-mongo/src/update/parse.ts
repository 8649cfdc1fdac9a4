/**
 * Parses update documents into trees of modifiers. Everything that does not depend on the updated document is checked
 * here.
 */
import { compareStrings } from '../keys/compare.ts'
import { badValue, failedToParse, mongoError, notImplemented } from '../values/errors.ts'
import { addToTree, pathParts, type PathTree } from '../values/paths.ts'
import { printField } from '../values/print.ts'
import { MODIFIERS, rename, unset, type Modifier } from './modifiers.ts'
import { typeName, type Doc, type Value } from '../values/values.ts'

/** The modifiers of an update, by the field names of their paths, in the order in which they are applied. */
export type UpdateTree = PathTree<Modifier>

export type Update = { kind: 'replace', doc: Doc } | { kind: 'modify', tree: UpdateTree }

/** An update is a replacement, or a document of operators. */
export function parseUpdate (update: Doc | readonly Doc[]): Update {
  if (!(update instanceof Map)) throw notImplemented('updates by an aggregation pipeline are not supported')
  const first = update.keys().next().value
  if (first?.startsWith('$') === true) return { kind: 'modify', tree: parseModifiers(update) }
  for (const name of update.keys()) if (name.startsWith('$')) throw dollarPrefixed(name)
  return { kind: 'replace', doc: update }
}

const dollarPrefixed = (name: string) => mongoError('DollarPrefixedFieldName',
  `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement ` +
  'document. Consider using an aggregation pipeline with $replaceWith.')

const UNSUPPORTED = ['$bit', '$mul', '$pop', '$pullAll']

function parseModifiers (update: Doc): UpdateTree {
  const tree: UpdateTree = new Map()
  for (const [operator, fields] of update) {
    const parse = MODIFIERS.get(operator)
    if (UNSUPPORTED.includes(operator)) throw notImplemented(`${operator} is not supported`)
    if (parse === undefined && operator !== '$rename') {
      throw failedToParse(`Unknown modifier: ${operator}. ` +
        'Expected a valid update modifier or pipeline-style update specified as an array')
    }
    if (!(fields instanceof Map)) {
      throw failedToParse(`Modifiers operate on fields but we found type ${typeName(fields)} instead. ` +
        `For example: {$mod: {<field>: ...}} not {${printField(operator, fields)}}`)
    }
    for (const [path, operand] of fields) {
      checkPath(path)
      if (parse === undefined) addRename(tree, path, operand)
      else addToTree(tree, path, parse(operand, path), collision)
    }
  }
  return sorted(tree)
}

function addRename (tree: UpdateTree, from: string, to: Value) {
  const printed = printField(from, to)
  if (typeof to !== 'string') throw badValue(`The 'to' field for $rename must be a string: ${printed}`)
  if (from === to) throw badValue(`The source and target field for $rename must differ: ${printed}`)
  checkPath(to)
  if (to.startsWith(`${from}.`) || from.startsWith(`${to}.`)) {
    throw badValue(`The source and target field for $rename must not be on the same path: ${printed}`)
  }
  addToTree(tree, from, unset, collision)
  addToTree(tree, to, rename(from, to), collision)
}

function checkPath (path: string) {
  if (path === '') throw mongoError('EmptyFieldName', 'An empty update path is not valid.')
  const parts = pathParts(path)
  if (parts.includes('')) {
    throw mongoError('EmptyFieldName', `The update path '${path}' contains an empty field name, which is not allowed.`)
  }
  if (parts.some(part => part === '$' || part.startsWith('$['))) {
    throw notImplemented(
      `the positional operators $, $[] and $[<identifier>] are not supported, found in path '${path}'`)
  }
  if (path.startsWith('$')) throw dollarPrefixed(parts[0] as string)
}

/** No two modifiers may change the same path, or one path inside the other. */
function collision (parts: readonly string[], depth: number): Error {
  const [path, other] = [parts, parts.slice(0, depth)].map(names => names.join('.'))
  return mongoError('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict at '${other}'`)
}

/** MongoDB's order of new fields: by name, but names that begin like a number by length first. */
function sorted (tree: UpdateTree): UpdateTree {
  const children = [...tree].sort(([a], [b]) => compareNames(a, b))
  return new Map(children.map(([name, child]): [string, UpdateTree | Modifier] =>
    [name, typeof child === 'function' ? child : sorted(child)]))
}

const NUMBER_LIKE = /^(0$|[1-9])/

function compareNames (a: string, b: string): number {
  if (NUMBER_LIKE.test(a) && NUMBER_LIKE.test(b) && a.length !== b.length) return a.length - b.length
  return compareStrings(a, b)
}
