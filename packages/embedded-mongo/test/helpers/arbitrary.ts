import fc from 'fast-check'
import {
  Binary, Code, DateTime, Decimal128, int32, MAX_KEY, MIN_KEY, ObjectId, Regex, Sym, Timestamp, UNDEFINED, type Doc, type Value
} from '../../src/values/values.ts'

const text = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'ab', 'a\0', 'a\0b', 'z', 'é', '\uffee', '\u{1f600}', '\ud7ff', '\ue000'),
  fc.string({ unit: 'grapheme', maxLength: 6 })
)
const name = fc.constantFrom('a', 'b', 'c', '0', '1', '10', '__proto__', 'é')
const word = fc.integer({ min: -0x80000000, max: 0x7fffffff })
const objectId = fc.oneof(
  fc.tuple(fc.constantFrom(0, 1, -1), fc.constantFrom(0, 1, -1), fc.constantFrom(0, 1, -1)), fc.tuple(word, word, word)
).map(([a, b, c]) => new ObjectId(a, b, c))

/** Numbers of all four types around the places where they meet or part. */
const nearby = fc.tuple(
  fc.constantFrom(0n, 1n, 5n, 2n ** 31n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 62n, 2n ** 63n - 1n, 10n ** 15n), fc.integer({ min: -2, max: 2 }), fc.boolean()
).map(([base, step, negative]) => BigInt.asIntN(64, negative ? -(base + BigInt(step)) : base + BigInt(step)))

export const number: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(0, -0, NaN, Infinity, -Infinity, 0.1, -0.1, 0.5, 1e300, -1e300, 5e-324, -5e-324, Number.MAX_VALUE),
  fc.double(),
  nearby, nearby.map(Number), nearby.map(value => int32(Number(BigInt.asIntN(32, value)))), nearby.map(value => Decimal128.fromString(String(value))),
  fc.constantFrom('0.1', '-0.1', '0.10', '0.5', 'NaN', 'Infinity', '-Infinity', '1E+400', '-1E+400', '1E-400', '-1E-400', '-0', '0E+5',
    '1E+300', '9007199254740993', '9007199254740993.5', '0.1000000000000000055511151231257827', '1000000000000000000000000000000000E+6111'
  ).map(digits => Decimal128.fromString(digits))
)

const leaf: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: number },
  { weight: 3, arbitrary: text },
  fc.boolean(), fc.constant(null), fc.constantFrom<Value>(MIN_KEY, MAX_KEY, UNDEFINED),
  objectId,
  fc.constantFrom(0, -1, 1, 1700000000000, -8640000000000000).map(ms => DateTime.fromMs(ms)),
  fc.tuple(fc.constantFrom(0, 1, 0xffffffff), fc.constantFrom(0, 1, 0xffffffff)).map(([t, i]) => new Timestamp(t, i)),
  fc.tuple(fc.uint8Array({ maxLength: 3 }), fc.constantFrom(0, 3, 4, 128)).map(([bytes, subtype]) => new Binary(bytes, subtype)),
  fc.tuple(fc.constantFrom('', 'a', 'b', 'a+'), fc.constantFrom('', 'i', 'im')).map(([pattern, flags]) => new Regex(pattern, flags)),
  fc.tuple(text, fc.option(fc.constant(new Map<string, Value>([['x', 1]])), { nil: undefined })).map(([code, scope]) => new Code(code, scope)),
  text.map(value => new Sym(value))
)

/** Any value, nested to a small depth. */
export const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value, doc: Doc, array: Value[] }>(tie => ({
  value: fc.oneof({ depthSize: 'small' }, { weight: 5, arbitrary: leaf }, { weight: 1, arbitrary: tie('doc') }, { weight: 1, arbitrary: tie('array') }),
  doc: fc.uniqueArray(fc.tuple(name, tie('value')), { maxLength: 3, selector: ([field]) => field }).map(fields => new Map(fields)),
  array: fc.array(tie('value'), { maxLength: 3 })
})).value

/** Any document, nested to a small depth. */
export const doc: fc.Arbitrary<Doc> = fc.uniqueArray(fc.tuple(name, value), { maxLength: 5, selector: ([field]) => field }).map(fields => new Map(fields))
