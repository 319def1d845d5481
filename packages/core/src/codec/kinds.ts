import { types } from 'node:util';
import { isError } from '../errors/error-class.js';
import { type BinaryKind, binaryKindOf, isBinary } from './binary-kinds.js';

/** What the codec knows an object as. `instance` is all it does not know: a serializer may. */
export type ObjectKind =
  | 'array'
  | 'object'
  | 'null-object'
  | 'date'
  | 'regexp'
  | 'map'
  | 'set'
  | 'boxed'
  | 'url'
  | 'error'
  | 'instance'
  | BinaryKind;

interface BuiltIn {
  readonly kind: ObjectKind;
  readonly is: (value: object) => boolean;
}

/** By name, since values of another realm have other prototypes. Each check looks at what the object is inside. */
const BUILT_IN: ReadonlyMap<string, BuiltIn> = new Map<string, BuiltIn>([
  ['Array', { kind: 'array', is: Array.isArray }],
  ['Date', { kind: 'date', is: types.isDate }],
  ['RegExp', { kind: 'regexp', is: types.isRegExp }],
  ['Map', { kind: 'map', is: types.isMap }],
  ['Set', { kind: 'set', is: types.isSet }],
  ['Boolean', { kind: 'boxed', is: types.isBooleanObject }],
  ['Number', { kind: 'boxed', is: types.isNumberObject }],
  ['String', { kind: 'boxed', is: types.isStringObject }],
  ['BigInt', { kind: 'boxed', is: types.isBigIntObject }],
]);
const NAMES: ReadonlyMap<object, string> = new Map<object, string>(
  [Array, Date, RegExp, Map, Set, Boolean, Number, String, BigInt].map((Class) => [
    Class.prototype,
    Class.name,
  ]),
);
const ERROR_CLASSES: ReadonlySet<object> = new Set(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError].map(
    (Class) => Class.prototype,
  ),
);

/** What an object is. Subclasses of known classes are instances of their own class, except errors. */
export function objectKindOf(value: object): ObjectKind {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype) return plainKindOf(value, 'object');
  if (prototype === null) return plainKindOf(value, 'null-object');
  const name = NAMES.get(prototype) ?? foreignName(prototype);
  if (name === 'Object') return 'object';
  const builtIn = name === undefined ? undefined : BUILT_IN.get(name);
  if (builtIn?.is(value)) return builtIn.kind;
  const binary = binaryKindOf(prototype, name);
  if (binary && isBinary(value)) return binary;
  if (prototype === URL.prototype && value instanceof URL) return 'url';
  return ERROR_CLASSES.has(prototype) && isError(value) ? 'error' : 'instance';
}

/** An object without a class may be an iterable of its own making: nothing else has such a key. */
function plainKindOf(value: object, kind: 'object' | 'null-object'): ObjectKind {
  return Object.hasOwn(value, Symbol.asyncIterator) ? 'instance' : kind;
}

/** Name of the built-in class whose prototype this is in some realm, such as that of a vm context. */
function foreignName(prototype: object): string | undefined {
  let name = foreignNames.get(prototype);
  if (name === undefined) {
    name = readForeignName(prototype);
    foreignNames.set(prototype, name);
  }
  return name === '' ? undefined : name;
}

/** Reading a function's source takes long, and there are few prototypes. */
const foreignNames = new WeakMap<object, string>();

function readForeignName(prototype: object): string {
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof constructor !== 'function' || constructor.prototype !== prototype) return '';
  return Function.prototype.toString.call(constructor).endsWith('{ [native code] }') ? constructor.name : '';
}
