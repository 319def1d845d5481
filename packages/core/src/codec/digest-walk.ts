import { errorClassName, isError } from '../errors/error-class.js';
import { referenceData } from '../model/reference.js';
import type { DigestNodeOptions } from '../ports/codec.js';
import { type BinaryKind, bytesOf } from './binary-kinds.js';
import { type LargeBytes, LARGE_BYTES } from './large-bytes.js';
import type { DigestSink, OpenNode } from './digest-sink.js';
import { objectKindOf, type ObjectKind } from './kinds.js';
import { streamKindOf } from './stream-kinds.js';
import type { ValueReader } from './value-reader.js';

/*
 * The digest of a value, version 1: SHA-256 of the string DOMAIN, a byte for the mode, and the bytes of the value's
 * node. A node is a tag byte and its content; numbers are little-endian.
 *
 *   n null   u undefined   t true   f false
 *   d number: float 64                          i bigint: text of its hexadecimal digits
 *   s string: float 64 length, UTF-8            w string with lone surrogates: float 64 length, UTF-16
 *   A array: uint 32 length, items; a run of holes is h and uint 32 its length
 *   O plain object, P object without prototype: uint 32 count, then key and value, keys in the order of their units
 *   M Map, S Set: uint 32 count, then entries in their own order, which the language shows
 *   D Date: float 64     R RegExp: source, flags, lastIndex     W boxed primitive: node     L URL: text
 *   B binary value: byte for its class, float 64 length, bytes; of more than 4096 bytes, their SHA-256
 *   E error: class name, message, then count, keys and values as in O, `cause` among them; not the stack
 *   X instance: key of its serializer, node of what that made of it
 *   Y stream: byte for its kind, float 64 length, SHA-256 of the content; it may be in results, which only digestNode takes
 *   c container met before (in mode g): uint 32 number, in order of meeting
 *   G value with a cycle, behind a reference: its digest
 *   # node of more than 4096 bytes: its SHA-256
 *
 * Mode t, for values without cycles: whether equal parts are one object or two does not count, so that the digest is
 * the same before and after a value was stored in pieces. Mode g, for values with a cycle: it does count.
 *
 * A reference has the bytes of the value it stands for as that would have them in its place, and adds those.
 */
const DOMAIN = 'routine-engine/digest/1';
const T = {
  null: 0x6e,
  undefined: 0x75,
  true: 0x74,
  false: 0x66,
  number: 0x64,
  bigint: 0x69,
  array: 0x41,
  hole: 0x68,
  object: 0x4f,
  nullObject: 0x50,
  map: 0x4d,
  set: 0x53,
  date: 0x44,
  regexp: 0x52,
  boxed: 0x57,
  url: 0x4c,
  binary: 0x42,
  error: 0x45,
  instance: 0x58,
  stream: 0x59,
  met: 0x63,
  treeMode: 0x74,
  graphMode: 0x67,
} as const;

const LEAF_CLASSES = { date: 'Date', regexp: 'RegExp', boxed: 'boxed primitive', url: 'URL' } as const;

/** Content of each stream in a value. */
export type StreamContents = NonNullable<DigestNodeOptions['streams']>;

/** Thrown in mode t when a value turns out to hold itself. */
export const CYCLE = new Error('the value holds itself');

/** Writes the bytes of one value. */
export class DigestWalk {
  readonly #reader: ValueReader;
  readonly #sink: DigestSink;
  /** In mode g, the number of each container. */
  readonly #numbers: Map<object, number> | undefined;
  /** In mode t, the containers around the current value. */
  readonly #around: object[] = [];
  /** In mode t, the hash that stands for a container that was met; short ones are just walked again. */
  #hashes: Map<object, Buffer> | undefined;
  readonly #large: LargeBytes;
  /** Instances whose serialized form is being walked. */
  #underWay: Set<object> | undefined;

  /** By stream; absent where none may be. */
  readonly #streams: StreamContents | undefined;

  /** @param numbers - an empty table for mode g; without, the walk is in mode t, and throws `CYCLE` at a cycle. */
  constructor(
    reader: ValueReader,
    sink: DigestSink,
    numbers: Map<object, number> | undefined,
    streams: StreamContents | undefined,
    large: LargeBytes,
  ) {
    this.#reader = reader;
    this.#sink = sink;
    this.#numbers = numbers;
    this.#streams = streams;
    this.#large = large;
  }

  digest(value: unknown): string {
    this.#sink.reset();
    this.#sink.text(DOMAIN);
    this.#sink.byte(this.#numbers ? T.graphMode : T.treeMode);
    this.#value(value, 0);
    return this.#sink.result();
  }

  /** The bytes of the value's node alone. */
  node(value: unknown): Uint8Array {
    this.#sink.reset();
    this.#value(value, 0);
    return this.#sink.taken();
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        return this.#sink.text(value);
      case 'number':
        this.#sink.byte(T.number);
        return this.#sink.float64(value);
      case 'boolean':
        return this.#sink.byte(value ? T.true : T.false);
      case 'undefined':
        return this.#sink.byte(T.undefined);
      case 'bigint':
        this.#sink.byte(T.bigint);
        return this.#sink.text(value.toString(16));
      case 'object':
        return value === null ? this.#sink.byte(T.null) : this.#container(value, depth);
      default:
        throw this.#reader.refusalOfPrimitive(value, depth);
    }
  }

  #container(value: object, depth: number): void {
    if (this.#numbers ? this.#wasMet(value, this.#numbers, depth) : this.#wasHashed(value)) return;
    const kind = objectKindOf(value);
    const reference = kind === 'instance' ? referenceData(value) : undefined;
    if (reference) return this.#sink.node(reference.node);
    this.#reader.checkDepth(depth);
    this.#numbers?.set(value, this.#numbers.size);
    this.#around.push(value);
    const node = this.#sink.open();
    if (typeof kind === 'object') this.#binary(value as ArrayBuffer | ArrayBufferView, kind, depth);
    else this.#known(value, kind, node, depth);
    const hash = this.#sink.close(node);
    this.#around.pop();
    if (hash && !this.#numbers) (this.#hashes ??= new Map()).set(value, hash);
  }

  #wasMet(value: object, numbers: Map<object, number>, depth: number): boolean {
    const number = numbers.get(value);
    if (number === undefined) return false;
    if (this.#underWay?.has(value)) throw this.#reader.refusalOfCycle(value, depth);
    this.#sink.byte(T.met);
    this.#sink.uint32(number);
    return true;
  }

  #wasHashed(value: object): boolean {
    if (this.#around.includes(value)) throw CYCLE;
    const hash = this.#hashes?.get(value);
    if (hash) this.#sink.digest(hash);
    return hash !== undefined;
  }

  #known(value: object, kind: Exclude<ObjectKind, BinaryKind>, node: OpenNode, depth: number): void {
    switch (kind) {
      case 'array':
        return this.#array(value as unknown[], node, depth);
      case 'object':
      case 'null-object':
        this.#sink.byte(kind === 'object' ? T.object : T.nullObject);
        return this.#entries(value, this.#reader.keysOf(value, depth), node, depth);
      case 'map':
        return this.#map(value as Map<unknown, unknown>, node, depth);
      case 'set':
        return this.#set(value as Set<unknown>, node, depth);
      case 'error':
      case 'instance':
        return this.#instance(value, node, depth);
      default:
        return this.#leaf(value, kind, depth);
    }
  }

  #array(array: unknown[], node: OpenNode, depth: number): void {
    this.#sink.byte(T.array);
    this.#sink.uint32(array.length);
    if (this.#reader.hasHoles(array, depth)) return this.#sparse(array, node, depth);
    for (let index = 0; index < array.length; index += 1) {
      this.#reader.path.step(depth, 'property', index);
      this.#value(array[index], depth + 1);
      this.#sink.relieve(node);
    }
  }

  #sparse(array: unknown[], node: OpenNode, depth: number): void {
    let next = 0;
    for (const key of Object.keys(array)) {
      const index = Number(key);
      this.#holes(index - next);
      this.#reader.path.step(depth, 'property', index);
      this.#value(array[index], depth + 1);
      this.#sink.relieve(node);
      next = index + 1;
    }
    this.#holes(array.length - next);
  }

  #holes(count: number): void {
    if (count === 0) return;
    this.#sink.byte(T.hole);
    this.#sink.uint32(count);
  }

  #entries(object: object, keys: string[], node: OpenNode, depth: number): void {
    this.#sink.uint32(keys.length);
    for (const key of keys.sort()) {
      this.#reader.path.step(depth, 'property', key);
      this.#sink.text(key);
      this.#value((object as Record<string, unknown>)[key], depth + 1);
      this.#sink.relieve(node);
    }
  }

  #map(map: Map<unknown, unknown>, node: OpenNode, depth: number): void {
    this.#reader.checkBare(map, 'Map', depth);
    this.#sink.byte(T.map);
    this.#sink.uint32(map.size);
    let position = 0;
    for (const [key, value] of map) {
      this.#reader.path.step(depth, 'map-key', position);
      this.#value(key, depth + 1);
      this.#reader.path.step(depth, 'map-value', key);
      this.#value(value, depth + 1);
      this.#sink.relieve(node);
      position += 1;
    }
  }

  #set(set: Set<unknown>, node: OpenNode, depth: number): void {
    this.#reader.checkBare(set, 'Set', depth);
    this.#sink.byte(T.set);
    this.#sink.uint32(set.size);
    let position = 0;
    for (const item of set) {
      this.#reader.path.step(depth, 'set-item', position);
      this.#value(item, depth + 1);
      this.#sink.relieve(node);
      position += 1;
    }
  }

  #leaf(value: object, kind: 'date' | 'regexp' | 'boxed' | 'url', depth: number): void {
    this.#reader.checkBare(value, LEAF_CLASSES[kind], depth);
    this.#sink.byte(T[kind]);
    switch (kind) {
      case 'date':
        return this.#sink.float64((value as Date).getTime());
      case 'regexp':
        this.#sink.text((value as RegExp).source);
        this.#sink.text((value as RegExp).flags);
        return this.#sink.float64(this.#reader.lastIndexOf(value as RegExp, depth));
      case 'boxed':
        return this.#value(value.valueOf(), depth + 1);
      default:
        return this.#sink.text((value as URL).href);
    }
  }

  #binary(value: ArrayBuffer | ArrayBufferView, kind: BinaryKind, depth: number): void {
    this.#reader.checkBinary(value, depth);
    const bytes = bytesOf(value);
    this.#sink.byte(T.binary);
    this.#sink.byte(kind.code);
    this.#sink.float64(bytes.byteLength);
    if (bytes.byteLength <= LARGE_BYTES) this.#sink.node(bytes);
    else this.#large.add(value, bytes, this.#sink);
  }

  #instance(value: object, node: OpenNode, depth: number): void {
    const serialized = this.#reader.serialized(value, depth);
    if (!serialized) return isError(value) ? this.#error(value, node, depth) : this.#stream(value, depth);
    this.#reader.path.step(depth, 'serialized', serialized.key);
    this.#sink.byte(T.instance);
    this.#sink.text(serialized.key);
    const underWay = (this.#underWay ??= new Set());
    underWay.add(value);
    this.#value(serialized.plain, depth + 1);
    underWay.delete(value);
  }

  #stream(value: object, depth: number): void {
    const kind = streamKindOf(value);
    if (!kind) throw this.#reader.refusalOfInstance(value, depth);
    if (!this.#streams) throw this.#reader.refusalOfStream(depth);
    const content = this.#streams.get(value);
    if (!content) throw this.#reader.refusal(depth, 'a stream of unknown content', 'read it before');
    this.#sink.byte(T.stream);
    this.#sink.byte(kind.charCodeAt(0));
    this.#sink.float64(content.byteLength);
    this.#sink.node(Buffer.from(content.digest, 'hex'));
  }

  #error(error: Error, node: OpenNode, depth: number): void {
    this.#sink.byte(T.error);
    this.#sink.text(errorClassName(error));
    this.#sink.text(String(error.message));
    this.#entries(error, this.#reader.errorKeysOf(error, depth), node, depth);
  }
}
