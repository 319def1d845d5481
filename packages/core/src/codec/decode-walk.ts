import { defineHidden, newErrorOfClass } from '../errors/error-class.js';
import { LIMITS } from '../model/limits.js';
import type { BinaryReader } from './binary-reader.js';
import { isCount } from './is-count.js';
import { TAG } from './node-tags.js';
import type { ReferencePlaces } from './reference-nodes.js';
import { malformed, tooDeep } from './refusals.js';
import type { SerializerRegistry } from './serializer-registry.js';
import { sparseArray } from './sparse-array.js';
import type { StreamParts } from './stream-parts.js';
import { stringOf, textOf, textOfPieces } from './text-node.js';

const HIDDEN_ERROR_KEYS: ReadonlySet<string> = new Set(['cause', 'errors']);
const REFUSED_ERROR_KEYS: ReadonlySet<string> = new Set([
  'name',
  'message',
  'stack',
  '__proto__',
  'constructor',
  'prototype',
]);

/** Place in the table of what no reference may name: an instance while its parts are being read, and a stream. */
const NOT_NAMED = Symbol('not named');

/** What the tree of a value refers to, each in its order. */
export interface TreeParts {
  readonly binary: BinaryReader;
  /** Absent when there is none. */
  readonly references?: ReferencePlaces | undefined;
  /** Absent when there is none. */
  readonly streams?: StreamParts | undefined;
}

/**
 * Makes the value of a tree of `node-tags.ts`, whose bytes may come from a stranger. Arrays and objects that stand for
 * themselves are kept and changed in place.
 */
export class DecodeWalk {
  readonly #registry: SerializerRegistry;
  readonly #binary: BinaryReader;
  readonly #references: ReferencePlaces | undefined;
  readonly #streams: StreamParts | undefined;
  /** The containers by number. */
  readonly #met: unknown[] = [];

  constructor(registry: SerializerRegistry, parts: TreeParts) {
    this.#registry = registry;
    this.#binary = parts.binary;
    this.#references = parts.references;
    this.#streams = parts.streams;
  }

  /** The value of the root of a tree. One walk decodes one value. */
  decode(tree: unknown): unknown {
    const value = this.#value(tree, 0);
    this.#binary.finish();
    this.#references?.finish();
    this.#streams?.finish();
    return value;
  }

  #value(node: unknown, depth: number): unknown {
    if (typeof node !== 'object' || node === null) return node;
    if (!Array.isArray(node)) return this.#plainObject(node as Record<string, unknown>, depth);
    const tag: unknown = node[0];
    if (typeof tag === 'string' && tag.charCodeAt(0) === 0) return this.#tagged(tag, node, depth);
    return this.#items(node, depth);
  }

  #items(array: unknown[], depth: number): unknown[] {
    this.#meet(array, depth);
    for (let index = 0; index < array.length; index += 1) {
      const node = array[index];
      if (typeof node === 'object' && node !== null) array[index] = this.#value(node, depth + 1);
    }
    return array;
  }

  #plainObject(object: Record<string, unknown>, depth: number): unknown {
    this.#meet(object, depth);
    for (const key of Object.keys(object)) {
      const node = object[key];
      if (typeof node === 'object' && node !== null) object[key] = this.#value(node, depth + 1);
    }
    return object;
  }

  #tagged(tag: string, node: unknown[], depth: number): unknown {
    switch (tag) {
      case TAG.undefined:
        return undefined;
      case TAG.minusZero:
        return -0;
      case TAG.bigint:
        return bigintOf(node[1]);
      case TAG.text:
        return textOfPieces(node);
      case TAG.reference:
        return this.#reference(node[1]);
      case TAG.ref:
        return this.#stored(node[1]);
      default:
        return this.#container(tag, node, depth);
    }
  }

  #container(tag: string, node: unknown[], depth: number): unknown {
    switch (tag) {
      case TAG.array:
        return this.#items(node.slice(1), depth);
      case TAG.sparse:
        return this.#sparse(node, depth);
      case TAG.object:
        return this.#entries(this.#meet({}, depth), node, 1, depth);
      case TAG.nullObject:
        return this.#entries(this.#meet(Object.create(null) as object, depth), node, 1, depth);
      case TAG.map:
        return this.#map(node, depth);
      case TAG.set:
        return this.#set(node, depth);
      case TAG.error:
        return this.#error(node, depth);
      case TAG.instance:
        return this.#instance(node, depth);
      default:
        return this.#leaf(tag, node, depth);
    }
  }

  #leaf(tag: string, node: unknown[], depth: number): unknown {
    switch (tag) {
      case TAG.date:
        return this.#meet(new Date(numberOf(node[1])), depth);
      case TAG.regexp:
        return this.#meet(regexpOf(node), depth);
      case TAG.boxed:
        return this.#boxed(node, depth);
      case TAG.url:
        return this.#meet(new URL(stringOf(node[1])), depth);
      case TAG.bytes:
        return this.#meet(this.#binary.bytes(node[1]), depth);
      case TAG.smallBytes:
        return this.#meet(this.#binary.smallBytes(node[1], node[2]), depth);
      case TAG.sharedBytes:
        return this.#meet(this.#binary.sharedBytes(node[1], node[2], node[3], node[4]), depth);
      case TAG.stream:
        return this.#stream(node, depth);
      default:
        throw malformed(`unknown tag ${JSON.stringify(tag)}`);
    }
  }

  #meet<T extends object>(value: T, depth: number): T {
    if (depth >= LIMITS.valueDepth) throw tooDeep('the decoded value');
    this.#met.push(value);
    return value;
  }

  /** Keeps a place in the table. @returns its number. */
  #meetUnnamed(depth: number): number {
    if (depth >= LIMITS.valueDepth) throw tooDeep('the decoded value');
    return this.#met.push(NOT_NAMED) - 1;
  }

  #reference(number: unknown): unknown {
    const value = typeof number === 'number' ? this.#met[number] : undefined;
    if (value === undefined || value === NOT_NAMED)
      throw malformed(`a reference to nothing, ${String(number)}`);
    return value;
  }

  #stored(index: unknown): unknown {
    if (!this.#references) throw malformed('a reference in a value that has none');
    return this.#references.value(index);
  }

  #stream(node: unknown[], depth: number): unknown {
    if (!this.#streams) throw malformed('a stream in a value that has none');
    this.#meetUnnamed(depth);
    return this.#streams.take(node[1], node[2]);
  }

  #sparse(node: unknown[], depth: number): unknown {
    const { array, resize } = sparseArray(node[1]);
    this.#meet(array, depth);
    let last = -1;
    for (let at = 2; at < node.length; at += 2) {
      const index = numberOf(node[at]);
      if (!Number.isInteger(index) || index <= last) throw malformed('indices out of order');
      last = index;
      if (index >= (node[1] as number) || at + 1 === node.length)
        throw malformed('an index beyond the array');
      array[index] = this.#value(node[at + 1], depth + 1);
    }
    resize();
    return array;
  }

  /** Adds the entries of a node from `start` on to an object. */
  #entries(object: object, node: unknown[], start: number, depth: number): object {
    if ((node.length - start) % 2 !== 0) throw malformed('a key without a value');
    for (let at = start; at < node.length; at += 2) {
      define(object, textOf(node[at]), this.#value(node[at + 1], depth + 1), true);
    }
    return object;
  }

  #map(node: unknown[], depth: number): unknown {
    if (node.length % 2 === 0) throw malformed('a key without a value');
    const map = this.#meet(new Map<unknown, unknown>(), depth);
    for (let at = 1; at < node.length; at += 2) {
      const key = this.#value(node[at], depth + 1);
      map.set(key, this.#value(node[at + 1], depth + 1));
    }
    return map;
  }

  #set(node: unknown[], depth: number): unknown {
    const set = this.#meet(new Set<unknown>(), depth);
    for (let at = 1; at < node.length; at += 1) set.add(this.#value(node[at], depth + 1));
    return set;
  }

  #boxed(node: unknown[], depth: number): unknown {
    // Noted before the primitive, as the encode walk does; a primitive is no container and notes nothing.
    const primitive = this.#value(node[1], depth + 1);
    if (!['boolean', 'number', 'string', 'bigint'].includes(typeof primitive))
      throw malformed('a box of no primitive');
    return this.#meet(Object(primitive) as object, depth);
  }

  #error(node: unknown[], depth: number): unknown {
    if (node.length < 4 || node.length % 2 !== 0) throw malformed('an error without its parts');
    const code = node[node.indexOf('code', 4) + 1];
    const error = newErrorWithoutTrace(textOf(node[1]), textOf(node[2]), code);
    // Its constructor makes a list; whether there is one is for the bytes to say, as with every property.
    if (error instanceof AggregateError) Reflect.deleteProperty(error, 'errors');
    defineHidden(error, 'stack', node[3] === null ? undefined : textOf(node[3]));
    this.#meet(error, depth);
    for (let at = 4; at < node.length; at += 2) {
      const key = textOf(node[at]);
      if (REFUSED_ERROR_KEYS.has(key)) throw malformed(`an error with a property ${key}`);
      define(error, key, this.#value(node[at + 1], depth + 1), !HIDDEN_ERROR_KEYS.has(key));
    }
    return error;
  }

  #instance(node: unknown[], depth: number): unknown {
    const key = textOf(node[1]);
    const serializer = this.#registry.named(key);
    const number = this.#meetUnnamed(depth);
    const plain = this.#value(node[2], depth + 1);
    try {
      return (this.#met[number] = serializer.deserialize(plain));
    } catch (error) {
      throw malformed(`the serializer "${key}" refused them`, error);
    }
  }
}

/**
 * An error without the trace of where it is made here. To note it takes ten times as long as all else, so that bytes
 * from a stranger could make much work; and the bytes have a trace of their own.
 */
function newErrorWithoutTrace(name: string, message: string, code: unknown): Error {
  const { stackTraceLimit } = Error;
  // Not an assignment, which throws where the built-in objects are frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return newErrorOfClass(name, message, code);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/** Sets a property of any name as an own one; `__proto__` is nothing special to it. */
function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, key, { value, writable: true, configurable: true, enumerable });
}

function numberOf(node: unknown): number {
  if (typeof node !== 'number') throw malformed('something else where a number belongs');
  return node;
}

function bigintOf(node: unknown): bigint {
  const text = stringOf(node);
  const digits = text.startsWith('-') ? text.slice(1) : text;
  if (!/^[0-9a-f]+$/.test(digits)) throw malformed('a bigint of other characters than hexadecimal digits');
  const magnitude = BigInt(`0x${digits}`);
  return digits === text ? magnitude : -magnitude;
}

function regexpOf(node: readonly unknown[]): RegExp {
  const regexp = new RegExp(textOf(node[1]), stringOf(node[2]));
  const lastIndex = node[3];
  if (!isCount(lastIndex)) throw malformed('a lastIndex that is no index');
  regexp.lastIndex = lastIndex;
  return regexp;
}
