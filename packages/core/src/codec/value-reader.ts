import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { types } from 'node:util';
import { errorClassName, isError, readProperty } from '../errors/error-class.js';
import { LIMITS } from '../model/limits.js';
import { isCount } from './is-count.js';
import { hasEnumerableSymbol, hasNamedProperties, namedPropertyOf } from './own-properties.js';
import { notEncodable, tooDeep } from './refusals.js';
import type { SerializerRegistry } from './serializer-registry.js';
import { ValuePath } from './value-path.js';

/** An instance of a class as what its serializer made of it. */
export interface Serialized {
  readonly key: string;
  readonly plain: unknown;
}

/** Properties of an error that are carried by place, or are no properties of its own. */
const ERROR_FIELDS: ReadonlySet<string> = new Set(['name', 'message', 'stack']);
const UNSAFE_ERROR_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Takes values apart for the encode walk and the digest walk, so that both refuse the same: whatever would not
 * arrive as it is. Depth is the number of containers above the value; it ends the path that errors name.
 */
export class ValueReader {
  readonly path: ValuePath;
  readonly #registry: SerializerRegistry;

  #used: Set<string> | undefined;

  constructor(registry: SerializerRegistry, root: string) {
    this.#registry = registry;
    this.path = new ValuePath(root);
  }

  /** Makes the error for a value that cannot be carried. */
  refusal(depth: number, found: string, advice: string, cause?: unknown): Error {
    return notEncodable(this.path.text(depth), found, advice, cause);
  }

  /** Refuses a value that is neither an object nor a primitive that can be carried. */
  refusalOfPrimitive(value: unknown, depth: number): Error {
    if (typeof value === 'function') {
      const name = value.name === '' ? '' : ` (${value.name})`;
      return this.refusal(depth, `a function${name}`, 'pass data, and call the function where it is');
    }
    return this.refusal(depth, `a ${typeof value}`, 'pass a string instead');
  }

  /** Refuses a container beyond the deepest level. */
  checkDepth(depth: number): void {
    if (depth >= LIMITS.valueDepth) throw tooDeep(this.path.text(depth));
  }

  /** Keys of the properties of an object that are carried: all own enumerable ones, getters with what they give. */
  keysOf(object: object, depth: number): string[] {
    this.#checkSymbols(object, depth);
    return Object.keys(object);
  }

  /** Whether an array has holes. Refuses properties beside the items. */
  hasHoles(array: readonly unknown[], depth: number): boolean {
    this.#checkSymbols(array, depth);
    if (!hasNamedProperties(array) && !hasHole(array)) return false;
    const name = namedPropertyOf(array);
    if (name === undefined) return true;
    throw this.refusal(
      depth,
      `an array with a property beside its items, ${JSON.stringify(name)}`,
      'pass a plain object',
    );
  }

  /** Refuses enumerable properties of an object of which only the content is carried. */
  checkBare(object: object, className: string, depth: number): void {
    this.#checkSymbols(object, depth);
    // The units of a String object are properties too.
    const extra = Object.keys(object).at(types.isStringObject(object) ? object.length : 0);
    if (extra === undefined) return;
    const found = `a ${className} with a property of its own, ${JSON.stringify(extra)}`;
    throw this.refusal(depth, found, 'pass a plain object that holds both');
  }

  /** Where a regular expression goes on; any value may have been put there. */
  lastIndexOf(regexp: RegExp, depth: number): number {
    const { lastIndex } = regexp;
    if (isCount(lastIndex)) return lastIndex;
    throw this.refusal(depth, 'a RegExp whose lastIndex is no index', 'set it to 0');
  }

  /** Refuses memory that is gone, or that would not be the same thing elsewhere. */
  checkBinary(value: ArrayBuffer | ArrayBufferView, depth: number): void {
    const memory = ArrayBuffer.isView(value) ? value.buffer : value;
    if (types.isSharedArrayBuffer(memory)) {
      throw this.refusal(depth, 'memory in a SharedArrayBuffer', 'pass a copy, such as value.slice()');
    }
    if ((memory as { resizable?: boolean }).resizable === true) {
      throw this.refusal(depth, 'memory in a resizable ArrayBuffer', 'pass a copy, such as value.slice()');
    }
    if (memory.byteLength === 0 && isDetached(memory)) {
      throw this.refusal(depth, 'memory in a detached ArrayBuffer', 'pass it before it is transferred away');
    }
  }

  /** Keys of the properties of an error that are carried beside name, message and stack; `cause` among them. */
  errorKeysOf(error: Error, depth: number): string[] {
    const keys = this.keysOf(error, depth).filter((key) => !ERROR_FIELDS.has(key));
    const unsafe = keys.find((key) => UNSAFE_ERROR_KEYS.has(key));
    if (unsafe)
      throw this.refusal(depth, `an error with an own property "${unsafe}"`, 'give it another name');
    for (const hidden of ['cause', 'errors']) {
      if (Object.hasOwn(error, hidden) && !keys.includes(hidden)) keys.push(hidden);
    }
    return keys;
  }

  /** Keys of the serializers that were needed so far, sorted; `undefined` for none. */
  get serializers(): readonly string[] | undefined {
    return this.#used && [...this.#used].sort();
  }

  /** What a serializer makes of an instance; `undefined` when none claims it. */
  serialized(value: object, depth: number): Serialized | undefined {
    try {
      const serializer = this.#registry.claiming(value);
      if (!serializer) return undefined;
      (this.#used ??= new Set()).add(serializer.key);
      return { key: serializer.key, plain: serializer.serialize(value) };
    } catch (error) {
      const found = `an instance of class ${classNameOf(value)} that its serializer refused`;
      throw this.refusal(depth, found, 'see the cause', error);
    }
  }

  /** The error for an object that nobody can carry. */
  refusalOfInstance(value: object, depth: number): Error {
    const found = `an instance of class ${classNameOf(value)}`;
    return this.refusal(depth, found, 'register a serializer for it, or pass plain data');
  }

  /** The error for a stream where none may be. */
  refusalOfStream(depth: number): Error {
    const advice = 'only a result may be or hold one: pass a Ref to that result, or the bytes';
    return this.refusal(depth, 'a stream', advice);
  }

  /** Refuses a stream that somebody reads already. */
  checkStream(value: object, depth: number): void {
    if (value instanceof ReadableStream && value.locked) {
      throw this.refusal(
        depth,
        'a stream that has a reader',
        'release its lock, or pass what the reader gives',
      );
    }
    if (Readable.isDisturbed(value as Readable)) {
      throw this.refusal(
        depth,
        'a stream that was read from or cancelled',
        'pass it before anybody reads it',
      );
    }
  }

  /** The error for an instance that holds itself: it can be made only when all it holds is there. */
  refusalOfCycle(value: object, depth: number): Error {
    return this.refusal(
      depth,
      `the instance of class ${classNameOf(value)} that holds it`,
      'a serializer must not give back the instance itself',
    );
  }

  #checkSymbols(object: object, depth: number): void {
    if (!hasEnumerableSymbol(object)) return;
    const symbol = Object.getOwnPropertySymbols(object).find((key) =>
      Object.prototype.propertyIsEnumerable.call(object, key),
    );
    throw this.refusal(depth, `an object with the symbol key ${String(symbol)}`, 'use a string as key');
  }
}

function hasHole(array: readonly unknown[]): boolean {
  for (let index = 0; index < array.length; index += 1) {
    if (array[index] === undefined && !Object.hasOwn(array, index)) return true;
  }
  return false;
}

/** Whether memory of no bytes had some that were transferred away. */
export function isDetached(memory: ArrayBufferLike): boolean {
  try {
    return new Uint8Array(memory).byteLength !== 0;
  } catch {
    return true;
  }
}

function classNameOf(value: object): string {
  if (isError(value)) return errorClassName(value);
  const constructor = readProperty(value, 'constructor');
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'without a name';
}
